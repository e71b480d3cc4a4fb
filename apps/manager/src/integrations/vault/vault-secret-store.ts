import type { Logger } from 'pino';
import { ConfigError } from '../../config/load-config.js';
import type { VaultSettings } from '../../config/vault-settings.js';
import { type Clock, systemClock } from '../../ports/clock.js';
import { type SecretStore, SecretStoreError } from '../../ports/secret-store.js';
import { createTenantSessions } from './tenant-sessions.js';
import { createVaultBreaker } from './vault-breaker.js';
import { connectVault, type VaultClient } from './vault-client.js';
import { createVaultDatabases } from './vault-databases.js';
import { createVaultHealth } from './vault-health.js';
import { type ConnectAs, createLogin, lookUpToken, type VaultToken } from './vault-logins.js';
import { assertTenantId } from './vault-paths.js';
import { type AsTenant, createVaultSecrets } from './vault-secrets.js';
import { createVaultSession, type VaultSession } from './vault-session.js';
import { withinDeadline } from './within-deadline.js';

export interface VaultSecretStoreParts {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Of each request; default 1 s. */
  readonly requestTimeoutMs?: number;
  /** Of each call of the port; default 1.5 s. */
  readonly callTimeoutMs?: number;
  readonly healthEveryMs?: number;
}

/**
 * Rejects with ConfigError where Vault answers and its token is a root one, or its secret id was tampered with. Where
 * Vault does not answer it begins degraded.
 */
export async function createVaultSecretStore(
  settings: VaultSettings,
  { logger, clock = systemClock, requestTimeoutMs, callTimeoutMs = 1_500, healthEveryMs }: VaultSecretStoreParts,
): Promise<SecretStore> {
  const { address, namespace, certificateAuthority, mounts } = settings;
  const connection = connectVault({ address, namespace, certificateAuthority, requestTimeoutMs });
  const limits = { maxInFlight: 50, maxWaiting: 5_000, failures: 3, pauseMs: 1_000 };
  const breaker = createVaultBreaker({ name: 'Vault', ...limits });
  // Half of the connections: however many databases hang, there are some left for everything else.
  const room = createVaultBreaker({ name: 'Vault', ...limits, maxInFlight: 32, failures: Infinity });
  const connectAs: ConnectAs = (token) => {
    const client = connection.as(token);
    return {
      request(request) {
        const own = breaker.isOpen ? undefined : request.breaker;
        const ask = () => client.request(request);
        return own ? own.run(() => room.run(ask, request.signal), request.signal) : breaker.run(ask, request.signal);
      },
    };
  };

  const logIn = createLogin(settings.login, connectAs);
  const manager = createVaultSession({
    name: 'the Manager',
    login: async () => assertNotRoot(await logIn(), settings),
    connectAs,
    clock,
    logger,
    keep: true,
  });
  const sessions = createTenantSessions({ mounts, manager, connectAs, clock, logger });
  const asTenant: AsTenant = (tenantId, work) =>
    withinDeadline(callTimeoutMs, (signal) => sessions.of(tenantId).run((client) => work(client, signal), signal));
  const health = createVaultHealth({
    health: () => connection.health(),
    probe: () => manager.run((client) => lookUpToken(client, '')),
    everyMs: healthEveryMs,
    onChange: (seen) => logger[seen.status === 'ok' ? 'info' : 'warn'](seen, 'vault: its health changed'),
  });
  breaker.onChange(() => void health.look());

  const close = async (): Promise<void> => {
    health.close();
    sessions.close();
    manager.close();
    await connection.close();
  };
  try {
    await start(manager, logger);
  } catch (error) {
    await close();
    throw error;
  }
  void health.look();
  return {
    kind: 'vault',
    ...createVaultSecrets(mounts.secrets, asTenant),
    databases: createVaultDatabases({
      mount: mounts.databases,
      logger,
      asTenant,
      keepToken: (tenantId, seconds) => sessions.of(tenantId).keepUntil(clock.monotonic() + seconds * 1_000),
    }),
    async ensureTenant(tenantId) {
      assertTenantId(tenantId);
      await asTenant(tenantId, async () => {});
    },
    // The breaker knows first; looking at what hangs takes a second.
    health: () =>
      breaker.isOpen && health.current.status === 'ok' ? { status: 'degraded', reason: 'unreachable' } : health.current,
    close,
  };
}

async function start(manager: VaultSession, logger: Logger): Promise<void> {
  try {
    await manager.run(async (_client: VaultClient) => {});
  } catch (err) {
    if (!(err instanceof SecretStoreError)) throw err;
    logger.error({ err }, 'vault: could not log in; tools that need a secret fail until it can');
  }
}

function assertNotRoot(token: VaultToken, settings: VaultSettings): VaultToken {
  if (!token.policies.includes('root') || settings.dangerouslyAllowRootToken) return token;
  throw new ConfigError([
    'VAULT_TOKEN: is a root token, which may do everything in Vault; give the Manager one with the policy of docs/vault.md, ' +
      'or set AUTHSEC_DANGEROUSLY_ALLOW_VAULT_ROOT_TOKEN=1 for development',
  ]);
}
