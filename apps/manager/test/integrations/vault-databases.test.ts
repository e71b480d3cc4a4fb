import { randomBytes, randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OpenBaoServer } from '@authsec/config/openbao';
import { Client } from 'pg';
import { type ManagerLogin, provisionVault, vaultPlan } from '../../src/integrations/vault/provision-vault.js';
import type { VaultClient } from '../../src/integrations/vault/vault-client.js';
import { createVaultDatabases } from '../../src/integrations/vault/vault-databases.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import type { DatabaseAccount, DynamicDatabases, SecretAddress, SecretStore } from '../../src/ports/secret-store.js';
import { until } from '../support/until.js';
import { failureOf } from './secret-store-contract.js';
import {
  asOperator,
  type CountingProxy,
  describeOpenBao,
  openBao,
  openCountingProxy,
  settingsFor,
  silent,
} from './vault-under-test.js';

describeOpenBao('dynamic accounts of a real PostgreSQL from a real Vault', () => {
  const superuser = new URL(process.env['AUTHSEC_TEST_DATABASE_URL'] ?? '');
  const database = `reports_${randomBytes(4).toString('hex')}`;
  const maker = {
    username: `maker_${randomBytes(4).toString('hex')}`,
    password: `p'"/@ ${randomBytes(8).toString('hex')}`,
  };
  const plan = vaultPlan();
  let server: OpenBaoServer;
  let proxy: CountingProxy;
  let store: SecretStore;
  let databases: DynamicDatabases;
  let admin: Client;
  let login: ManagerLogin;

  beforeAll(async () => {
    admin = new Client({ connectionString: superuser.href });
    await admin.connect();
    await admin.query(`CREATE ROLE ${maker.username} LOGIN CREATEROLE PASSWORD ${admin.escapeLiteral(maker.password)}`);
    await admin.query(`CREATE DATABASE ${database} OWNER ${maker.username}`);
    const inside = clientFor(maker);
    await inside.connect();
    await inside.query('CREATE TABLE sales (amount int); INSERT INTO sales VALUES (42)');
    await inside.end();
    server = await openBao('dev');
    login = await provisionVault({ address: server.address, token: server.rootToken }, plan);
    proxy = await openCountingProxy(server.address);
    store = await createVaultSecretStore(settingsFor({ address: proxy.address, plan }, login), { logger: silent });
    databases = store.databases!;
  });
  afterAll(async () => {
    await store?.close();
    await proxy?.close();
    await server?.stop();
    await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await admin.query(`DROP ROLE IF EXISTS ${maker.username}`);
    await admin.end();
  });

  const clientFor = ({ username, password }: { username: string; password: string }): Client => {
    const client = new Client({
      host: superuser.hostname,
      port: Number(superuser.port),
      database,
      user: username,
      password,
    });
    client.on('error', () => {});
    return client;
  };
  const account = (more: Partial<DatabaseAccount> = {}): DatabaseAccount => ({
    host: superuser.hostname,
    port: Number(superuser.port),
    database,
    ...maker,
    tls: 'disable',
    creationStatements: [
      `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`,
      'GRANT SELECT ON sales TO "{{name}}"',
    ],
    revocationStatements: [],
    ttlSeconds: 60,
    ...more,
  });
  const addressOf = (tenantId: string): SecretAddress => ({
    tenantId,
    collection: 'services',
    serviceId: randomUUID(),
  });
  const configured = async (tenantId = 'acme', more: Partial<DatabaseAccount> = {}): Promise<SecretAddress> => {
    const address = addressOf(tenantId);
    await databases.configure(address, account(more));
    return address;
  };
  const exists = async (username: string): Promise<boolean> =>
    (await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [username])).rowCount === 1;

  test('an account is made for one use, reads what it was given, and is gone when it is revoked', async () => {
    const address = await configured();
    const lease = await databases.issue(address);
    expect(lease.leaseSeconds).toBe(60);
    const client = clientFor(lease);
    await client.connect();
    expect((await client.query('SELECT amount FROM sales')).rows).toEqual([{ amount: 42 }]);
    await expect(client.query('DELETE FROM sales')).rejects.toThrow(/permission denied/);
    await client.end();
    await databases.revoke(address, lease.leaseId);
    await until('its account is gone', async () => !(await exists(lease.username)));
    await expect(clientFor(lease).connect()).rejects.toThrow(/authentication failed/);
    await databases.revoke(address, lease.leaseId);
  });

  test('each call has an account of its own', async () => {
    const address = await configured();
    const leases = await Promise.all(Array.from({ length: 5 }, () => databases.issue(address)));
    expect(new Set(leases.map((lease) => lease.username)).size).toBe(5);
    await databases.remove(address);
  });

  test('a lease is renewed, and one that is over is missing', async () => {
    const address = await configured();
    const lease = await databases.issue(address);
    expect(await databases.renew(address, lease.leaseId, 120)).toBe(120);
    await asOperator(server, 'POST', 'sys/leases/revoke', { lease_id: lease.leaseId });
    await until('it is over', async () => !(await exists(lease.username)));
    expect(await failureOf(databases.renew(address, lease.leaseId, 120))).toBe('missing');
  });

  test('an account that nobody revoked ends by itself', async () => {
    const lease = await databases.issue(await configured('acme', { ttlSeconds: 2 }));
    expect(await exists(lease.username)).toBe(true);
    await until('it ended', async () => !(await exists(lease.username)));
  });

  test('what one replica leased, another renews and revokes', async () => {
    const other = await createVaultSecretStore(settingsFor({ address: server.address, plan }, login), {
      logger: silent,
    });
    const address = await configured();
    const lease = await databases.issue(address);
    expect(await other.databases!.renew(address, lease.leaseId, 90)).toBe(90);
    await other.databases!.revoke(address, lease.leaseId);
    await until('its account is gone', async () => !(await exists(lease.username)));
    await other.close();
  });

  test('an account lives on while nobody uses its tenant, and the token that it hangs on would have ended', async () => {
    const role = 'auth/authsec-tenants/role/lazy';
    await asOperator(server, 'POST', role, {
      token_policies: 'authsec-tenant',
      token_period: '2s',
      secret_id_ttl: '60s',
    });
    const address = await configured('lazy');
    const lease = await databases.issue(address);
    const before = proxy.seen.length;
    const renewals = () => proxy.seen.slice(before).filter(({ path }) => path === '/v1/auth/token/renew-self').length;
    await until('the token would have ended twice', () => renewals() >= 4);
    expect(await exists(lease.username)).toBe(true);
    await databases.remove(address);
  });

  test('removed, all its accounts are gone and none is made any more; removed again it is no error', async () => {
    const address = await configured();
    const leases = await Promise.all([databases.issue(address), databases.issue(address)]);
    await databases.remove(address);
    for (const { username } of leases) expect(await exists(username)).toBe(false);
    expect(await failureOf(databases.issue(address))).toBe('missing');
    await databases.remove(address);
  });

  test('what was never configured is missing', async () => {
    expect(await failureOf(databases.issue(addressOf('acme')))).toBe('missing');
  });

  test("one tenant's leases and accounts are out of another's reach", async () => {
    const address = await configured('acme');
    const lease = await databases.issue(address);
    const elsewhere = { ...address, tenantId: 'beta' };
    expect(await failureOf(databases.issue(elsewhere))).toBe('missing');
    const before = proxy.seen.length;
    expect(await failureOf(databases.renew(elsewhere, lease.leaseId, 60))).toBe('denied');
    expect(await failureOf(databases.revoke(elsewhere, lease.leaseId))).toBe('denied');
    expect(proxy.seen.slice(before).filter(({ path }) => path.includes('leases'))).toEqual([]);
    await databases.remove(elsewhere);
    expect(await exists(lease.username)).toBe(true);
    await databases.remove(address);
  });

  test.each(['../x', 'x/../../y', 'x/y', 'a%2fb', 'a b', 'a\0', '', '/'])(
    'a lease id that ends in %j goes nowhere',
    async (end) => {
      const address = await configured();
      const before = proxy.seen.length;
      const leaseId = `authsec-database/creds/acme.${address.serviceId}/${end}`;
      expect(await failureOf(databases.revoke(address, leaseId))).toBe('denied');
      expect(await failureOf(databases.renew(address, leaseId, 60))).toBe('denied');
      expect(proxy.seen).toHaveLength(before);
    },
  );

  test.each([
    { host: 'db.test/x?sslmode=disable' },
    { host: 'a b' },
    { host: 'user@elsewhere' },
    { database: 'x?sslmode=disable' },
    { database: 'x y' },
    { port: 0 },
    { port: 5432.5 },
  ])('%j is refused, as it would become part of a URL', async (more) => {
    await expect(databases.configure(addressOf('acme'), account(more))).rejects.toThrow(TypeError);
  });

  test('a database that does not answer is unavailable in time, and neither its neighbours nor secrets suffer', async () => {
    const silentPort = await openSilence();
    const broken = await configured('acme', { port: silentPort.port });
    const well = await configured('acme');
    const secret = addressOf('acme');
    await store.write(secret, { token: 'x' }, { expectedVersion: 0 });
    const from = performance.now();
    const failures = await Promise.all(Array.from({ length: 30 }, () => failureOf(databases.issue(broken))));
    expect(failures.filter((failure) => !isOfDatabase(failure))).toEqual([]);
    expect(performance.now() - from).toBeLessThan(10_000);
    const lease = await databases.issue(well);
    expect((await store.read(secret)).value).toEqual({ token: 'x' });
    expect(store.health().status).toBe('ok');
    await databases.revoke(well, lease.leaseId);
    await silentPort.close();
  });

  test("however many databases of one tenant hang, other tenants' secrets are read", async () => {
    const silentPort = await openSilence();
    const broken: SecretAddress[] = [];
    while (broken.length < 30) broken.push(await configured('gamma', { port: silentPort.port }));
    const secret = addressOf('beta');
    await store.write(secret, { token: 'x' }, { expectedVersion: 0 });
    const calls = broken.flatMap((address) => Array.from({ length: 10 }, () => failureOf(databases.issue(address))));
    const reads: string[] = [];
    const until = performance.now() + 2_500;
    while (performance.now() < until) {
      reads.push(
        await store.read(secret).then(
          () => 'ok',
          () => 'failed',
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((failure) => !isOfDatabase(failure))).toEqual([]);
    expect(new Set(reads)).toEqual(new Set(['ok']));
    await silentPort.close();
  });

  test("however many databases of one tenant hang, accounts of other tenants' databases are made", async () => {
    const silentPort = await openSilence();
    const broken: SecretAddress[] = [];
    for (let count = 0; count < 12; count++) broken.push(await configured('gamma', { port: silentPort.port }));
    const well = await configured('beta');
    const first = await databases.issue(well);
    const asking = broken.flatMap((address) => Array.from({ length: 10 }, () => failureOf(databases.issue(address))));
    const outcomes = await Promise.all(
      Array.from({ length: 3 }, () => databases.issue(well).then(() => 'made', String)),
    );
    expect(outcomes).toEqual(['made', 'made', 'made']);
    expect((await Promise.all(asking)).filter((failure) => !isOfDatabase(failure))).toEqual([]);
    await databases.revoke(well, first.leaseId);
    await databases.remove(well);
    await silentPort.close();
  });

  test('a wrong password of the maker is a failure of the database, however often, and nothing of it is told', async () => {
    const address = await configured('acme', { password: 'canary-password' });
    const error: unknown = await databases.issue(address).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'database' });
    for (let again = 0; again < 5; again++) expect(await failureOf(databases.issue(address))).toBe('database');
    expect(store.health().status).toBe('ok');
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('canary');
  });
});

/** Or Vault waits for it longer than anybody waits for Vault. */
function isOfDatabase(failure: string): boolean {
  return failure === 'database' || failure === 'unavailable';
}

test('an account that comes when nobody waits any more is revoked, and not given', async () => {
  const asked: object[] = [];
  const address = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const;
  const leaseId = `databases/creds/acme.${address.serviceId}/lease`;
  const client: VaultClient = {
    async request({ method, path, timeoutMs }) {
      asked.push({ method, path, timeoutMs });
      return { lease_id: leaseId, lease_duration: 60, data: { username: 'u', password: 'p' } };
    },
  };
  const late = createVaultDatabases({
    mount: 'databases',
    asTenant: (_tenantId, work) => work(client, AbortSignal.abort()),
    keepToken: () => {},
    logger: silent,
  });
  expect(await failureOf(late.issue(address))).toBe('unavailable');
  expect(asked).toEqual([
    // Longer than anybody waits: who gives up earlier does not hear of it.
    { method: 'GET', path: `databases/creds/acme.${address.serviceId}`, timeoutMs: 3_000 },
    { method: 'POST', path: `sys/leases/revoke/${leaseId}` },
  ]);
});

/** Takes connections and says nothing. */
async function openSilence(): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
