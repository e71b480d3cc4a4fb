import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { z } from 'zod';
import {
  type DatabaseAccount,
  type DynamicDatabases,
  type SecretAddress,
  SecretStoreError,
} from '../../ports/secret-store.js';
import { createVaultBreaker, type VaultBreaker, type VaultBreakerOptions } from './vault-breaker.js';
import { VaultError, type VaultClient } from './vault-client.js';
import { readAnswer } from './vault-logins.js';
import { databaseNameOf, type VaultPath, vaultPath } from './vault-paths.js';
import { type AsTenant, ifMissing } from './vault-secrets.js';

export interface VaultDatabasesOptions {
  readonly mount: string;
  readonly asTenant: AsTenant;
  /** What was leased through the tenant's token ends with it. */
  readonly keepToken: (tenantId: string, seconds: number) => void;
  readonly logger: Logger;
}

const issuedSchema = z.object({
  lease_id: z.string(),
  lease_duration: z.number(),
  data: z.object({ username: z.string().min(1), password: z.string().min(1) }),
});
const renewedSchema = z.object({ lease_duration: z.number() });
/** Nobody waits so long; but only who hears of an account can end it before its time. */
const lateMs = 3_000;
const maxSeconds = 3_600;
const maxKnownDatabases = 1_000;
const perDatabase = { maxInFlight: 4, maxWaiting: 100, failures: 3 };
/** A quarter of what all databases may have under way at once. */
const perTenant = { maxInFlight: 8, maxWaiting: 5_000, failures: Infinity };

/** The database engine of Vault, PostgreSQL only; a connection and a role for each service, named by ids. */
export function createVaultDatabases(options: VaultDatabasesOptions): DynamicDatabases {
  const { mount, asTenant, keepToken, logger } = options;
  // A tenant's database that hangs must not stand for Vault, nor all of a tenant's for those of others.
  const breakers = new LRUCache<string, VaultBreaker>({ max: maxKnownDatabases });
  const breakerOf = (name: string, limits: Pick<VaultBreakerOptions, 'maxInFlight' | 'maxWaiting' | 'failures'>) => {
    let breaker = breakers.get(name);
    if (!breaker) {
      breaker = createVaultBreaker({ name, failure: 'database', ...limits, pauseMs: 1_000 });
      breakers.set(name, breaker);
    }
    return breaker;
  };
  const limitsOf = ({ tenantId }: SecretAddress, name: string): Pick<VaultBreaker, 'run'> => {
    const own = breakerOf(`the database ${name}`, perDatabase);
    const tenant = breakerOf(`the databases of ${tenantId}`, perTenant);
    return { run: (work, signal) => own.run(() => tenant.run(work, signal), signal) };
  };
  const run = async <T>(
    address: SecretAddress,
    work: (name: string, client: VaultClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const name = databaseNameOf(address);
    const breaker = limitsOf(address, name);
    return asTenant(address.tenantId, (client, signal) =>
      work(name, { request: (request) => client.request({ ...request, breaker }) }, signal),
    );
  };

  return {
    configure: (address, account) =>
      run(address, async (name, client, signal) => {
        const what = `configuring the database ${name}`;
        const [config, role] = [vaultPath(mount, 'config', name), vaultPath(mount, 'roles', name)];
        const connection = describeConnection(name, account);
        await client.request({ method: 'POST', path: config, what, body: connection, signal });
        await client.request({ method: 'POST', path: role, what, body: describeRole(name, account), signal });
      }),

    issue: (address) =>
      run(address, async (name, client, signal) => {
        const what = `an account of the database ${name}`;
        const path = vaultPath(mount, 'creds', name);
        const request = { method: 'GET', path, what, signal, timeoutMs: lateMs } as const;
        const answer = readAnswer(issuedSchema, await client.request(request).catch(ofDatabase), what);
        if (!answer.lease_id.startsWith(`${path}/`)) throw new SecretStoreError('foreign', `${what}: another's lease`);
        if (signal.aborted) {
          const revocation = leasePath('revoke', mount, name, answer.lease_id);
          void client.request({ method: 'POST', path: revocation, what, body: {} }).catch(() => {});
          throw new SecretStoreError('unavailable', `${what} came too late`);
        }
        keepToken(address.tenantId, answer.lease_duration);
        return { leaseId: answer.lease_id, ...answer.data, leaseSeconds: answer.lease_duration };
      }),

    renew: (address, leaseId, seconds) =>
      run(address, async (name, client, signal) => {
        const what = `renewing an account of the database ${name}`;
        const path = leasePath('renew', mount, name, leaseId);
        const body = { increment: Math.min(Math.max(1, Math.ceil(seconds)), maxSeconds) };
        const answer = await client.request({ method: 'POST', path, what, body, signal });
        const { lease_duration: lives } = readAnswer(renewedSchema, answer, what);
        keepToken(address.tenantId, lives);
        return lives;
      }),

    revoke: (address, leaseId) =>
      run(address, async (name, client, signal) => {
        const what = `ending an account of the database ${name}`;
        const path = leasePath('revoke', mount, name, leaseId);
        await client.request({ method: 'POST', path, what, body: {}, signal }).catch(ifMissing(undefined));
      }),

    remove: (address) =>
      run(address, async (name, client, signal) => {
        const what = `removing the database ${name}`;
        const accounts = vaultPath(mount, 'creds', name);
        const ending = { method: 'POST', what, body: {}, signal } as const;
        await client
          .request({ ...ending, path: vaultPath('sys/leases/revoke-prefix', accounts) })
          .catch(async (error: unknown) => {
            // Vault answers and its database does not: its accounts end by their own expiry.
            if (!(error instanceof VaultError) || ![400, 500].includes(error.status ?? 0)) throw error;
            logger.warn({ database: name }, 'vault: a database was removed that did not end its accounts');
            await client.request({ ...ending, path: vaultPath('sys/leases/revoke-force', accounts) });
          });
        for (const kind of ['roles', 'config']) {
          const path = vaultPath(mount, kind, name);
          await client.request({ method: 'DELETE', path, what, signal }).catch(ifMissing(undefined));
        }
        breakers.delete(`the database ${name}`);
      }),
  };
}

/** Vault answers so when the database that it should make an account in is away, or lets it in no more. */
function ofDatabase(error: unknown): never {
  if (!(error instanceof VaultError) || error.status !== 500) throw error;
  throw new SecretStoreError('database', `${error.message}: its database does not answer, or refuses`);
}

function describeConnection(name: string, account: DatabaseAccount): Readonly<Record<string, unknown>> {
  const { host, port, database, tls } = account;
  const safe = /^[A-Za-z0-9.:-]{1,253}$/.test(host) && /^[A-Za-z0-9_-]{1,63}$/.test(database);
  if (!safe || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TypeError('account: host, port and database must need no escaping');
  }
  const server = isIPv6(host) ? `[${host}]` : host;
  return {
    plugin_name: 'postgresql-database-plugin',
    // It is reached when an account is asked for: one that hangs must not hold up the configuration.
    verify_connection: false,
    allowed_roles: [name],
    connection_url: `postgresql://{{username}}:{{password}}@${server}:${port}/${database}?sslmode=${tls}&connect_timeout=1`,
    username: account.username,
    password: account.password,
    password_authentication: 'scram-sha-256',
  };
}

function describeRole(name: string, account: DatabaseAccount): Readonly<Record<string, unknown>> {
  return {
    db_name: name,
    creation_statements: account.creationStatements,
    revocation_statements: account.revocationStatements,
    default_ttl: `${account.ttlSeconds}s`,
    max_ttl: `${maxSeconds}s`,
  };
}

/** The lease id goes into the path, where the tenant's policy sees it. */
function leasePath(action: 'renew' | 'revoke', mount: string, name: string, leaseId: string): VaultPath {
  const prefix = `${mount}/creds/${name}/`;
  if (typeof leaseId !== 'string' || !leaseId.startsWith(prefix) || leaseId.slice(prefix.length).includes('/')) {
    throw new SecretStoreError('denied', 'that is no lease of this database');
  }
  return vaultPath('sys/leases', action, leaseId);
}
