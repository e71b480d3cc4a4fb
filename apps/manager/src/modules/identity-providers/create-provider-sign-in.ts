import type { Logger } from 'pino';
import type { Config } from '../../config/load-config.js';
import type { Clock } from '../../ports/clock.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { GuardedFetch } from '../../ports/guarded-fetch.js';
import type { RateLimits } from '../../ports/rate-limits.js';
import type { Sealer } from '../../ports/sealer.js';
import type { Telemetry } from '../../ports/telemetry.js';
import { createLinkService, type LinkService } from './link-identity.service.js';
import { createProviderConfigurations } from './provider-configuration.js';
import { createProviderSignInRoutes, type ProviderSignInRoutes } from './provider-sign-in.routes.js';
import { createProviderSteps } from './provider-steps.js';
import { createProviderSignInService, type ProviderSignInService } from './provider-sign-in.service.js';

export interface ProviderSignInParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly rateLimits: Pick<RateLimits, 'create'>;
  readonly sealer: Sealer;
  readonly guardedFetch: GuardedFetch;
  readonly telemetry: Telemetry;
}

export type ProviderSignIn = ProviderSignInRoutes &
  Pick<ProviderSignInService, 'waysIn' | 'homeRealmOf'> &
  Pick<LinkService, 'offered'>;

/** Signing in through identity providers, as the authorization server mounts it and the sign-in pages use it. */
export function createProviderSignIn(parts: ProviderSignInParts): ProviderSignIn {
  const { config, clock, logger, events, rateLimits, sealer, guardedFetch: fetch } = parts;
  const links = createLinkService();
  const configurations = createProviderConfigurations({ fetch, clock, allowHttp: config.dangerouslyAllowHttp });
  const { linkedTo, offered } = links;
  const steps = createProviderSteps({ sealer, fetch, configurations, logger });
  const providers = createProviderSignInService({
    clock,
    sealer,
    steps,
    events,
    linkedTo,
    telemetry: parts.telemetry,
  });
  const perNetwork = rateLimits.create('provider-sign-ins', { points: 300, windowSeconds: 60 });
  const { waysIn, homeRealmOf } = providers;
  return { ...createProviderSignInRoutes({ providers, links, perNetwork }), waysIn, homeRealmOf, offered };
}
