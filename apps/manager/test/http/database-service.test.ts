import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { provisionVault } from '../../src/integrations/vault/provision-vault.js';
import { describeVault, openVault, type VaultUnderTest } from '../integrations/vault-under-test.js';
import { createServicesStage, expectNotTold, type ServicesStage } from '../support/services.js';
import { createTestLogin, createTestPerson } from '../support/test-data.js';

describeVault('databases of a tenant, with a real Vault and a real PostgreSQL', () => {
  const superuser = new URL(process.env['AUTHSEC_TEST_DATABASE_URL'] ?? '');
  const suffix = randomBytes(4).toString('hex');
  const [first, second] = [`reports_${suffix}`, `archive_${suffix}`];
  const maker = { username: `maker_${suffix}`, password: `canary-${randomBytes(8).toString('hex')}` };
  const admin = new Client({ connectionString: superuser.href });
  let vault: VaultUnderTest;
  let stage: ServicesStage;
  let sid: string;
  let caller: string;

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`CREATE ROLE ${maker.username} LOGIN CREATEROLE PASSWORD '${maker.password}'`);
    for (const name of [first, second]) await admin.query(`CREATE DATABASE ${name} OWNER ${maker.username}`);
    vault = await openVault();
    const login = await provisionVault({ ...vault, token: vault.rootToken }, vault.plan);
    stage = await createServicesStage(
      {},
      {
        AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1',
        AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1',
        VAULT_ADDR: vault.address,
        AUTHSEC_VAULT_MOUNT: vault.plan.mounts.secrets,
        ...(vault.plan.managerAuthMount !== undefined && { AUTHSEC_VAULT_AUTH_MOUNT: vault.plan.managerAuthMount }),
        AUTHSEC_VAULT_ROLE_ID: login.roleId,
        AUTHSEC_VAULT_SECRET_ID: login.secretId,
      },
    );
    caller = await stage.application.bearer();
    const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
    ({ sid } = await createTestLogin(stage.tenant, stage.application, person, { bound: true }));
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    await vault?.stop();
    for (const name of [first, second]) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.query(`DROP ROLE IF EXISTS ${maker.username}`);
    await admin.end();
  });

  const settings = (more: object = {}) => ({
    kind: 'database',
    host: superuser.hostname,
    port: Number(superuser.port),
    database: first,
    tls: 'disable',
    creation_statements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`],
    revocation_statements: ['DROP ROLE IF EXISTS "{{name}}"'],
    ttl_seconds: 600,
    ...more,
  });
  const create = (given: object = {}) =>
    stage.create({
      base_url: undefined,
      settings: settings(),
      secret: maker,
      raw_credential: true,
      allow_private_addresses: true,
      ...given,
    });
  interface Account {
    readonly database: string;
    readonly username: string;
    readonly password: string;
  }
  const issue = async (service: string): Promise<Account> => {
    const answer = await stage.send('post', '/v1/service-credentials', { sid, service, raw: true }, caller);
    expect([answer.status, answer.body.code]).toEqual([201, undefined]);
    return answer.body.credential as Account;
  };
  const logsIn = async ({ database, username: user, password }: Account): Promise<boolean> => {
    const { hostname: host, port } = superuser;
    const client = new Client({ host, port: Number(port), database, user, password });
    client.on('error', () => {});
    const entered = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    return entered;
  };

  const askVault = async (path: string, body?: object): Promise<{ keys: string[]; last_renewal?: string | null }> => {
    const headers = { 'X-Vault-Token': vault.rootToken };
    const asked = { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) };
    const answer = await fetch(`${vault.address}/v1/${path}`, asked);
    return ((await answer.json()) as { data: { keys: string[] } }).data;
  };
  /** The names of what this tenant has in the database engine. */
  const inVault = async (): Promise<string[]> => {
    const { keys } = await askVault(`${vault.plan.mounts.databases}/config?list=true`);
    return keys.filter((name) => name.startsWith(`${stage.tenant.id}.`)).sort();
  };

  test('201: tools get accounts of its making, and the one that makes them is nowhere but in Vault', async () => {
    const answer = await create();
    expect([answer.status, answer.body]).toMatchObject([201, { kind: 'database', base_url: null, secret_version: 1 }]);
    const account = await issue(answer.body.name);
    expect([account.database, account.username === maker.username]).toEqual([first, false]);
    expect(await logsIn(account)).toBe(true);
    const row = await stage.tenant.db.serviceConfiguration.findUniqueOrThrow({ where: { id: answer.body.id } });
    expect(await stage.tenant.db.sealedSecret.count()).toBe(0);
    await expectNotTold(stage, [maker.password, account.password], [answer.text, JSON.stringify(row)]);
  });

  test('200: an account that is renewed lives on in Vault, and may still come in', async () => {
    const { body: service } = await create();
    const asked = { sid, service: service.name as string, raw: true };
    const { lease_id: leaseId, credential } = (await stage.send('post', '/v1/service-credentials', asked, caller)).body;
    const renewed = await stage.send('post', `/v1/service-leases/${leaseId}/renew`, {}, caller);
    expect([renewed.status, renewed.body.expires_in]).toEqual([200, 600]);
    const place = `${vault.plan.mounts.databases}/creds/${stage.tenant.id}.${service.id}`;
    const { keys } = await askVault(`sys/leases/lookup/${place}?list=true`);
    const lease = await askVault('sys/leases/lookup', { lease_id: `${place}/${keys[0]}` });
    expect([keys.length, lease.last_renewal]).toEqual([1, expect.any(String)]);
    expect(await logsIn(credential as Account)).toBe(true);
  });

  test('400 for any change without the account: its statements are run by it', async () => {
    const { body } = await create();
    for (const more of [
      { host: '127.0.0.2' },
      { database: second },
      { tls: 'require' },
      { ttl_seconds: 60 },
      { creation_statements: [`CREATE ROLE "{{name}}" SUPERUSER LOGIN PASSWORD '{{password}}'`] },
    ]) {
      const answer = await stage.send('patch', `/v1/services/${body.id}`, { settings: settings(more) });
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/secret']);
    }
    expect((await stage.send('patch', `/v1/services/${body.id}`, { settings: settings() })).status).toBe(200);
  });

  test('moved to another database, accounts are made there, and those that lived in the one before have ended', async () => {
    const { body } = await create();
    const before = await issue(body.name);
    const change = { settings: settings({ database: second }), secret: maker };
    const answer = await stage.send('patch', `/v1/services/${body.id}`, change);
    expect([answer.status, answer.body.secret_version]).toEqual([200, 2]);
    expect(await logsIn(before)).toBe(false);
    const after = await issue(body.name);
    expect([after.database, await logsIn(after)]).toEqual([second, true]);
  });

  test('rotated, accounts are made by the new one; there is no overlap', async () => {
    const { body } = await create({ secret: { ...maker, password: 'wrong-secret' } });
    const asked = { sid, service: body.name as string, raw: true };
    const unavailable = await stage.send('post', '/v1/service-credentials', asked, caller);
    expect([unavailable.status, unavailable.body.code]).toEqual([502, 'service_unavailable']);
    const path = `/v1/services/${body.id}/rotate`;
    const refused = await stage.send('post', path, { secret: maker, overlap_seconds: 60 });
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/overlap_seconds']);
    const answer = await stage.send('post', path, { secret: maker });
    expect([answer.status, answer.body.secret_version]).toEqual([200, 2]);
    expect(await logsIn(await issue(body.name))).toBe(true);
  });

  test('deleted, the accounts that live have ended, and Vault has nothing of it', async () => {
    const { body } = await create();
    const account = await issue(body.name);
    expect((await stage.send('delete', `/v1/services/${body.id}`)).status).toBe(204);
    expect(await logsIn(account)).toBe(false);
    expect(await inVault()).not.toContain(`${stage.tenant.id}.${body.id}`);
  });

  test('409 for a name that is taken, and what was set up for it is taken back', async () => {
    const { body } = await create();
    const race = await Promise.all(Array.from({ length: 3 }, () => create({ name: `race-${suffix}` })));
    expect(race.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    const services = await stage.tenant.db.serviceConfiguration.findMany({ where: { kind: 'database' } });
    expect(await inVault()).toEqual(services.map(({ id }) => `${stage.tenant.id}.${id}`).sort());
    expect(services.map(({ id }) => id)).toContain(body.id);
  });
});

describe('a Vault that cannot be reached', () => {
  let stage: ServicesStage;
  beforeAll(async () => {
    stage = await createServicesStage(
      {},
      {
        VAULT_ADDR: 'http://127.0.0.1:1',
        AUTHSEC_VAULT_ROLE_ID: 'nobody',
        AUTHSEC_VAULT_SECRET_ID: 'canary-secret-id',
      },
    );
  }, 60_000);
  afterAll(() => stage?.close());

  test('keeps no tenant from being made, and answers 503 for what needs it', async () => {
    const answer = await stage.create();
    expect([answer.status, answer.body.code]).toEqual([503, 'secret_store_unavailable']);
    expect((await stage.send('get', '/v1/services')).body).toEqual({ services: [] });
    expect(stage.log()).toContain('a new tenant was not prepared');
    await expectNotTold(stage, ['canary-secret-id']);
  });
});
