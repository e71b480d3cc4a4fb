import type { Logger } from 'pino';
import type { Config } from './config/load-config.js';
import type { TenantClients } from './db/tenant-clients.js';
import type { SessionsService } from './modules/sessions/sessions.service.js';
import type { Clock } from './ports/clock.js';
import type { EventBus } from './ports/event-bus.js';
import type { RateLimits } from './ports/rate-limits.js';
import type { Sealer } from './ports/sealer.js';

/** Everything that the parts of the Manager are handed; made once, closed once. */
export interface Container {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly rateLimits: RateLimits;
  readonly sealer: Sealer;
  readonly tenants: TenantClients;
  readonly sessions: SessionsService;
  close(): Promise<void>;
}
