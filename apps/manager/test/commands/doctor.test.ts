import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { password } from '../authorization-server/test-server.js';
import type { Finding } from '../../src/commands/doctor/finding.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { run } from './run-command.js';

let server: OwnServer;
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => void (server = await startOwnServer()));
afterAll(async () => {
  await stop?.();
  await server.close();
});

/** What it found, by check, without what is well. */
async function examine(env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await run(['doctor', '--json'], { ...server.env, ...env });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  expect(ok).toBe(code === 0);
  for (const secret of ['AUTHSEC_SEALING_KEYS', 'AUTHSEC_COOKIE_KEYS', 'AUTHSEC_DATABASE_URL']) {
    expect(stdout + stderr).not.toContain(server.env[secret]);
  }
  expect(stdout + stderr).not.toContain(new URL(server.env['AUTHSEC_DATABASE_URL']!).password);
  const rest = findings.filter(({ status }) => status !== 'ok');
  for (const finding of rest) expect(finding.advice).toBeTruthy();
  return { code, findings, bad: rest.map(({ status, check }) => `${status} ${check}`), rest };
}

async function inDatabase(name: string, ...statements: string[]) {
  const client = new Client({ connectionString: server.superuserUrl.replace(/postgres$/, name) });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const bootstrap = (tenant: string) =>
  run(['bootstrap', '--tenant', tenant, '--email', 'a@b.test', '--password-stdin'], server.env, `${password}\n`);

describe('doctor', () => {
  test('on an empty server says that bootstrap is next', async () => {
    const { code, rest } = await examine();
    expect(code).toBe(1);
    expect(rest).toContainEqual(expect.objectContaining({ check: 'master database', advice: 'bootstrap' }));
  });

  test('finds nothing to put right in a Manager that was just started', async () => {
    expect([(await bootstrap('system')).code, (await bootstrap('acme')).code]).toEqual([0, 0]);
    stop = await server.serve();
    const { code, bad, findings } = await examine();
    expect([code, bad]).toEqual([0, ['warn http']]);
    for (const check of [
      'settings',
      'rights',
      'clock',
      'operators',
      'tenants',
      'issuer',
      'secret store',
      'passwords',
    ]) {
      expect(findings).toContainEqual(expect.objectContaining({ check, status: 'ok' }));
    }
    const strict = await run(['doctor', '--strict'], server.env);
    expect(strict).toMatchObject({ code: 1, stderr: '0 to put right, 1 to look at\n' });
    expect(strict.stdout).toMatch(/│ warn +│ http +│ AUTHSEC_DANGEROUSLY_ALLOW_HTTP/);
  });

  test('lists every fault of the settings and looks no further', async () => {
    const { code, bad } = await examine({ AUTHSEC_PORT: '70000', AUTHSEC_SEALING_KEYS: '' });
    expect([code, bad]).toEqual([1, ['fail settings', 'fail settings']]);
  });

  test.each([
    ['http for others than this machine', { AUTHSEC_URL: 'http://auth.example.com' }, 'fail http'],
    ['private addresses', { AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1' }, 'warn private addresses'],
    ['all addresses as proxies', { AUTHSEC_TRUSTED_PROXIES: '0.0.0.0/0' }, 'fail proxy'],
    ['no proxy and no TLS on a public address', { AUTHSEC_HOST: '0.0.0.0' }, 'warn proxy'],
    ['more connections than the server has', { AUTHSEC_MAX_OPEN_TENANTS: '500' }, 'warn connections'],
    [
      'a password that is guessed',
      { AUTHSEC_TENANT_DATABASE_URL: 'postgresql://u:postgres@127.0.0.1:1/x' },
      'fail passwords',
    ],
    ['an issuer that is somebody else', { AUTHSEC_URL: 'http://127.0.0.1:1' }, 'warn issuer'],
  ])('sees %s', async (_name, env, finding) => {
    expect((await examine(env)).bad).toContain(finding);
  });

  test('sees a superuser, who is more than is needed', async () => {
    expect((await examine({ AUTHSEC_TENANT_DATABASE_URL: server.superuserUrl })).bad).toContain('warn rights');
  });

  test('sees another sealing key than the one that things are sealed with', async () => {
    const { bad } = await examine({
      AUTHSEC_SEALING_KEYS: `k2:${Buffer.from(password.padEnd(32).slice(0, 32)).toString('base64')}`,
    });
    expect(bad).toEqual(expect.arrayContaining(['fail operators', 'fail tenant acme', 'fail tenant system']));
  });

  test("sees a migration that is missing, one that was changed and one of a newer version, in a tenant's database", async () => {
    const [first] = ['SELECT min(migration_name) FROM _prisma_migrations'];
    await inDatabase('tenant_acme', `UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = (${first})`);
    expect((await examine()).bad).toContain('fail tenant acme');
    await inDatabase(
      'tenant_acme',
      `INSERT INTO _prisma_migrations (id, migration_name, checksum, finished_at) VALUES ('n', '20991231000000_newer', 'x', now())`,
    );
    expect((await examine()).bad).toContain('warn tenant acme');
    await inDatabase('tenant_acme', 'DELETE FROM _prisma_migrations');
    const { rest } = await examine();
    expect(rest.find(({ check }) => check === 'tenant acme')).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/migration\(s\) behind/),
      advice: 'migrate',
    });
  });

  test('sees an old signing key, and none at all', async () => {
    await inDatabase('tenant_system', `UPDATE signing_keys SET created_at = now() - interval '181 days'`);
    const { rest } = await examine();
    expect(rest.find(({ check }) => check === 'tenant system')).toMatchObject({
      status: 'warn',
      advice: 'keys rotate --tenant system',
    });
    await inDatabase('tenant_system', `UPDATE signing_keys SET status = 'retired', retired_at = now()`);
    expect((await examine()).bad).toContain('fail tenant system');
  });

  test('sees that nobody operates any more', async () => {
    await inDatabase('tenant_system', `UPDATE users SET status = 'disabled'`);
    expect((await examine()).bad).toContain('fail operators');
  });

  test('changes nothing', async () => {
    const dump = async () => {
      const client = new Client({ connectionString: server.superuserUrl });
      await client.connect();
      const { rows } = await client.query(
        `SELECT datname, tup_inserted + tup_updated + tup_deleted AS written FROM pg_stat_database
          JOIN (SELECT pg_stat_force_next_flush()) AS flush ON true WHERE datname LIKE 'tenant_%' ORDER BY 1`,
      );
      await client.end();
      return rows as unknown;
    };
    await stop?.();
    stop = undefined;
    const before = await dump();
    await examine();
    expect(await dump()).toEqual(before);
  });
});
