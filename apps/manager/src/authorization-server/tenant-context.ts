import type { Logger } from 'pino';
import type { TenantDatabase } from '../db/tenant-clients.js';
import type { SessionsService } from '../modules/sessions/sessions.service.js';
import type { Clock } from '../ports/clock.js';

/** What the parts of one tenant's provider share. */
export interface TenantContext {
  readonly tenantId: string;
  readonly issuer: string;
  /** The key that signs now. */
  readonly signing: { readonly kid: string; readonly alg: string };
  readonly db: () => Promise<TenantDatabase>;
  readonly sessions: SessionsService;
  readonly clock: Clock;
  readonly logger: Logger;
}
