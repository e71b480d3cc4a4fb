import type { Logger } from 'pino';
import type { Config } from '../../config/load-config.js';
import type { BoundRoute } from '../../http/handle.js';
import type { Clock } from '../../ports/clock.js';
import type { GuardedFetch } from '../../ports/guarded-fetch.js';
import type { RateLimits } from '../../ports/rate-limits.js';
import type { Sealer } from '../../ports/sealer.js';
import type { SecretStore } from '../../ports/secret-store.js';
import type { DecisionsService } from '../decisions/decisions.service.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import type { Csrf } from '../sign-in/csrf.js';
import { createAuthorizeUse } from './authorize-use.js';
import { createClientCredentialsTokens } from './client-credentials-tokens.js';
import { createConnectAccount } from './connect-account.js';
import { type ConnectAccountRoutes, createConnectAccountRoutes } from './connect-account.routes.js';
import { createConnectLinks } from './connect-links.js';
import { createConnectionsService } from './connections.service.js';
import { createIssueCredential } from './issue-credential.js';
import type { LeasesService } from './leases.service.js';
import { createObtainCredential } from './obtain-credential.js';
import { createPersonTokens } from './person-tokens.js';
import { createRenewLease } from './renew-lease.js';
import { createServiceCredentialRoutes } from './service-credentials.routes.js';
import type { ServiceFetches } from './service-fetch.js';
import { createTestService } from './test-service.js';
import { createTokenClient, type TokenClient } from './token-client.js';

export interface ServiceCredentialsParts {
  readonly config: Pick<Config, 'dangerouslyAllowHttp' | 'dangerouslyAllowPrivateAddresses'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretStore;
  readonly sessions: SessionsService;
  readonly decisions: DecisionsService;
  /** To wherever the operator allows. */
  readonly guardedFetch: GuardedFetch;
  /** To public addresses only. */
  readonly publicFetch: GuardedFetch;
}

type TokenClientParts = Pick<ServiceCredentialsParts, 'config' | 'guardedFetch' | 'publicFetch'>;

/** The Manager as a client of the authorization servers of services. */
export function createServiceTokenClient(parts: TokenClientParts): TokenClient {
  return createTokenClient({ fetches: fetchesOf(parts), allowHttp: parts.config.dangerouslyAllowHttp });
}

function fetchesOf({ guardedFetch, publicFetch }: TokenClientParts): ServiceFetches {
  return { toPublic: publicFetch, toAllowed: guardedFetch };
}

function createCommon(parts: ServiceCredentialsParts) {
  return {
    fetches: fetchesOf(parts),
    client: createServiceTokenClient(parts),
    authorizeUse: createAuthorizeUse(parts),
  };
}

/** The API for tools and their services. */
export function createServiceCredentials(
  parts: ServiceCredentialsParts & { readonly leases: LeasesService },
): BoundRoute[] {
  const { clock, logger, secrets, leases, config } = parts;
  const mayAllowPrivateAddresses = config.dangerouslyAllowPrivateAddresses;
  const { fetches, client, authorizeUse } = createCommon(parts);
  const obtain = createObtainCredential({
    secrets,
    clock,
    clientTokens: createClientCredentialsTokens({ client, clock }),
    personTokens: createPersonTokens({ secrets, client, clock, logger }),
  });
  return createServiceCredentialRoutes({
    issueCredential: createIssueCredential({
      authorizeUse,
      obtain,
      leases,
      secrets,
      clock,
      logger,
      mayAllowPrivateAddresses,
    }),
    renewLease: createRenewLease({ authorizeUse, leases, clock }),
    leases,
    connectLinks: createConnectLinks({ authorizeUse, clock }),
    connections: createConnectionsService({ secrets, client, logger }),
    testService: createTestService({ obtain, secrets, fetches, clock }),
  });
}

/** The pages on which people connect their accounts, as the authorization server mounts them. */
export function createConnectAccounts(
  parts: ServiceCredentialsParts & {
    readonly sealer: Sealer;
    readonly rateLimits: Pick<RateLimits, 'create'>;
    readonly csrf: Csrf;
  },
): ConnectAccountRoutes {
  const { client, authorizeUse } = createCommon(parts);
  const { clock, logger, secrets, sessions, sealer, csrf, rateLimits } = parts;
  return createConnectAccountRoutes({
    accounts: createConnectAccount({ authorizeUse, client, secrets, sessions, sealer, clock, logger }),
    csrf,
    perNetwork: rateLimits.create('connected-accounts', { points: 300, windowSeconds: 60 }),
  });
}
