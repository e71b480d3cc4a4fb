import type { Logger } from 'pino';
import { createAuthenticator } from './authorization/authenticate.js';
import { createGate, type Gate } from './authorization/create-gate.js';
import { createTenantKeys, type TenantKeys } from './authorization/tenant-keys.js';
import { createAccessTokenVerifier, type VerifyAccessToken } from './authorization/verify-access-token.js';
import type { Config } from './config/load-config.js';
import { createMasterDatabase, type MasterDatabase } from './db/master-client.js';
import { countTenantsBehind } from './db/count-tenants-behind.js';
import { createTenantClients, type TenantClients, type TenantDatabase } from './db/tenant-clients.js';
import { createAesGcmSealer } from './integrations/aes-gcm-sealer.js';
import { createGuardedFetch } from './integrations/guarded-fetch.js';
import { createLogger } from './integrations/logger.js';
import { listDataKeys } from './integrations/list-data-keys.js';
import { createPostgresEventBus } from './integrations/postgres-event-bus.js';
import { createPostgresRateLimits } from './integrations/postgres-rate-limits.js';
import { createSealedSecretStore } from './integrations/sealed-secret-store.js';
import {
  ensureSigningKey,
  generateSigningKey,
  listSealedSigningKeys,
  loadSigningKeys,
} from './integrations/signing-keys.js';
import { observeSecretStore } from './integrations/telemetry/observe-secret-store.js';
import { unwrapSealingKeys } from './integrations/vault/vault-sealing-keys.js';
import { createVaultSecretStore } from './integrations/vault/vault-secret-store.js';
import { type ChangesService, createChangesService } from './modules/changes/changes.service.js';
import { listSealedClientSecrets } from './modules/identity-providers/identity-providers.repository.js';
import { createLeasesService, type LeasesService } from './modules/services/leases.service.js';
import { createSessionsService, type SessionsService } from './modules/sessions/sessions.service.js';
import { createTenantsService, type TenantsService } from './modules/tenants/tenants.service.js';
import { type Clock, systemClock } from './ports/clock.js';
import { outsideRequest } from './ports/current-request.js';
import type { EventBus } from './ports/event-bus.js';
import type { GuardedFetch } from './ports/guarded-fetch.js';
import type { RateLimits } from './ports/rate-limits.js';
import type { Sealer } from './ports/sealer.js';
import { noTelemetry, type Telemetry } from './ports/telemetry.js';
import type { SecretStore } from './ports/secret-store.js';
import type { GenerateSigningKey, LoadPrivateKeys } from './ports/signing-keys.js';

/** Everything that the parts of the Manager are handed; made once, closed once. */
export interface Container {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly events: EventBus;
  readonly rateLimits: RateLimits;
  readonly sealer: Sealer;
  /** Where the credentials of services are kept. */
  readonly secrets: SecretStore;
  /** For every URL that a tenant gives. */
  readonly guardedFetch: GuardedFetch;
  /** The same, to public addresses only, whatever the operator allows. */
  readonly publicFetch: GuardedFetch;
  readonly master: MasterDatabase;
  /** The tenants' databases. */
  readonly tenants: TenantClients;
  readonly tenantsService: TenantsService;
  readonly sessions: SessionsService;
  /** Dynamic credentials that were handed out. */
  readonly leases: LeasesService;
  readonly changes: ChangesService;
  readonly tenantKeys: TenantKeys;
  readonly loadPrivateKeys: LoadPrivateKeys;
  readonly generateSigningKey: GenerateSigningKey;
  readonly verifyAccessToken: VerifyAccessToken;
  readonly gate: Gate;
  /** Aborts when no new work should come: polls answer, `/readyz` says no. */
  readonly stopping: AbortSignal;
  stop(): void;
  close(): Promise<void>;
}

/** What a test may put in the place of the real one. */
export interface ContainerParts {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Closed with the container; without one there is none. */
  readonly telemetry?: Telemetry;
}

/** Connects what must be connected; rejects when the master database does not answer. */
export async function createContainer(given: Config, parts: ContainerParts = {}): Promise<Container> {
  const clock = parts.clock ?? systemClock;
  const logger = parts.logger ?? createLogger(given.logLevel);
  const config = await unwrapSealingKeys(given);
  const vault = config.vault && (await createVaultSecretStore(config.vault, { logger, clock }));
  const telemetry = parts.telemetry ?? noTelemetry;
  const { record } = telemetry;
  const events = await createPostgresEventBus({ databaseUrl: config.masterDatabaseUrl, logger });
  const rateLimits = createPostgresRateLimits({
    databaseUrl: config.masterDatabaseUrl,
    logger,
    onRefused: (limit) => record({ kind: 'rate_limited', limit }),
  });
  const sealer = createAesGcmSealer(config.sealingKeys);
  const guardedFetch = createGuardedFetch({
    allowHttp: config.dangerouslyAllowHttp,
    allowPrivateAddresses: config.dangerouslyAllowPrivateAddresses,
  });
  const publicFetch = createGuardedFetch({ allowHttp: config.dangerouslyAllowHttp, allowPrivateAddresses: false });
  const master = createMasterDatabase({
    databaseUrl: config.masterDatabaseUrl,
    onError: (err) => outsideRequest(() => logger.warn({ err }, 'master database: a connection was lost')),
  });
  const tenants = createTenantClients({
    master,
    sealer,
    clock,
    maxOpen: config.maxOpenTenants,
    onEvent({ event, tenantId: tenant, ...details }) {
      const log = () => logger.warn({ tenant, ...details }, event);
      if (event === 'tenant_connection_lost') outsideRequest(log);
      else log();
      if (event === 'tenant_open_failed' || event === 'tenant_stamp_mismatch') record({ kind: 'tenant_open_failed' });
    },
    onClosed: (why) => record({ kind: 'tenant_closed', why }),
  });
  const secrets = observeSecretStore(vault ?? createSealedSecretStore({ tenants, sealer }), telemetry);
  const tenantsService = createTenantsService({
    master,
    masterDatabaseUrl: config.masterDatabaseUrl,
    tenantDatabaseUrl: config.tenantDatabaseUrl,
    sealer,
    clients: tenants,
    ensureSigningKey: (db, tenantId) => ensureSigningKey(db, tenantId, sealer),
    async *sealedValuesOf(tenantId, db) {
      yield* listSealedSigningKeys(db, tenantId);
      yield* listSealedClientSecrets(db, tenantId);
      yield* listDataKeys(db, tenantId, sealer.keyIds[0]);
    },
    onProvisioned: (tenantId) =>
      secrets.ensureTenant(tenantId).catch((err: unknown) => {
        logger.warn(
          { err, tenant: tenantId },
          'secret store: a new tenant was not prepared; it will be when it is used',
        );
      }),
  });
  const leases = createLeasesService({ secrets, sealer, clock, logger });
  const onEnded = (tenantId: string, db: TenantDatabase) => leases.sweep(tenantId, db);
  const sessions = createSessionsService({ clock, events, telemetry, onEnded });
  const changes = createChangesService({ clock, events, telemetry });
  const tenantKeys = createTenantKeys({
    clock,
    events,
    loadPublicKeys: async (tenantId, db) => (await loadSigningKeys(db, tenantId, sealer)).publicJwks.keys,
  });
  const verifyAccessToken = createAccessTokenVerifier(tenantKeys, clock);
  const authenticate = createAuthenticator({ baseUrl: config.url, tenants, verifyAccessToken, clock });
  const gate = createGate({ authenticate, isSystemTenant: (tenantId) => tenantsService.isSystem(tenantId) });
  telemetry.watch({
    openTenants: () => tenants.opened().length,
    maxOpenTenants: config.maxOpenTenants,
    openPolls: () => changes.openPolls(),
    activeSessions: () => sessions.countActive(tenants.opened()),
    tenantsBehind: () => countTenantsBehind(master),
    secretStore: () => ({ kind: secrets.kind, health: secrets.health() }),
  });
  const stopping = new AbortController();
  stopping.signal.addEventListener('abort', () => changes.stop(), { once: true });
  return {
    config,
    clock,
    logger,
    telemetry,
    events,
    rateLimits,
    sealer,
    secrets,
    guardedFetch,
    publicFetch,
    master,
    tenants,
    tenantsService,
    sessions,
    leases,
    changes,
    tenantKeys,
    loadPrivateKeys: async (tenantId, db) => (await loadSigningKeys(db, tenantId, sealer)).jwks.keys,
    generateSigningKey: (tenantId) => generateSigningKey({ tenantId, sealer }),
    verifyAccessToken,
    gate,
    stopping: stopping.signal,
    stop: () => stopping.abort(),
    async close() {
      stopping.abort();
      await Promise.allSettled([events.close(), rateLimits.close(), secrets.close()]);
      await Promise.allSettled([tenants.close(), guardedFetch.close(), publicFetch.close()]);
      await master.$disconnect();
      await telemetry.close();
    },
  };
}
