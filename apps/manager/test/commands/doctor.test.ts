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
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
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

  test('names what was changed by hand in a database, and what is broken by it first', async () => {
    await inDatabase(
      'tenant_acme',
      'CREATE INDEX mine ON users (display_name)',
      'ALTER TABLE users ADD nickname text',
      'DROP INDEX audit_events_at_idx, decisions_at_idx',
      `ALTER TABLE users ALTER status SET DEFAULT 'disabled'`,
      'ALTER TABLE roles DISABLE TRIGGER bump_policy_version',
      'DROP TRIGGER bump_policy_version ON user_roles',
    );
    await inDatabase('authsec', 'ALTER TABLE tenants ADD note text');
    const { code, bad, rest } = await examine();
    expect([code, bad]).toEqual([1, ['warn http', 'warn master database', 'fail tenant acme']]);
    expect(rest.find(({ check }) => check === 'tenant acme')).toEqual({
      status: 'fail',
      check: 'tenant acme',
      found: [
        'changed by hand since it was migrated:',
        '- different column users.status',
        '- missing index audit_events.audit_events_at_idx',
        '- missing index decisions.decisions_at_idx',
        '- different trigger roles.bump_policy_version',
        '- missing trigger user_roles.bump_policy_version',
        '- and 2 more: --json has all',
      ].join('\n'),
      advice: 'put it back: docs/upgrade.md, "changed by hand"',
      details: [
        `different column users.status: is "UserStatus" not null default 'disabled'::"UserStatus"; was "UserStatus" not null default 'active'::"UserStatus"`,
        'missing index audit_events.audit_events_at_idx: btree (at)',
        'missing index decisions.decisions_at_idx: btree (at)',
        expect.stringMatching(/^different trigger roles\.bump_policy_version: is BEFORE .* DISABLED; was BEFORE/),
        expect.stringMatching(/^missing trigger user_roles\.bump_policy_version: BEFORE INSERT/),
        'extra column users.nickname: text',
        'extra index users.mine: btree (display_name)',
      ],
    });
    const { stdout } = await run(['doctor'], server.env);
    expect(stdout).toMatch(/│ warn │ master database +│ changed by hand since it was migrated:/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    await inDatabase('authsec', 'ALTER TABLE tenants DROP note');
  });

  test.each([
    ['an index', 'CREATE INDEX more ON users (created_at)', 'DROP INDEX more', 'warn'],
    ['a unique index', 'CREATE UNIQUE INDEX more ON users (created_at)', 'DROP INDEX more', 'fail'],
    ['a column', 'ALTER TABLE users ADD more text', 'ALTER TABLE users DROP more', 'warn'],
    [
      'one that nobody fills',
      'ALTER TABLE decisions ADD more text NOT NULL',
      'ALTER TABLE decisions DROP more',
      'fail',
    ],
    [
      'one that fills itself',
      'ALTER TABLE users ADD more int NOT NULL DEFAULT 1',
      'ALTER TABLE users DROP more',
      'warn',
    ],
    [
      'a check',
      `ALTER TABLE users ADD CONSTRAINT more CHECK (email <> 'x')`,
      'ALTER TABLE users DROP CONSTRAINT more',
      'fail',
    ],
    ['a table', 'CREATE TABLE more (id int NOT NULL)', 'DROP TABLE more', 'warn'],
    [
      'a grant to everyone',
      'GRANT CONNECT ON DATABASE tenant_globex TO PUBLIC',
      'REVOKE ALL ON DATABASE tenant_globex FROM PUBLIC',
      'fail',
    ],
  ])('only warns of what was added, unless it can break or open something: %s', async (_name, add, undo, status) => {
    expect((await bootstrap('globex')).code).toBe(0);
    await inDatabase('tenant_globex', add);
    const { rest } = await examine();
    await inDatabase('tenant_globex', undo);
    expect(rest.filter(({ check }) => check === 'tenant globex').map((finding) => finding.status)).toEqual([status]);
  });

  test('sees what was changed in the database of a tenant that is suspended', async () => {
    await inDatabase('authsec', `UPDATE tenants SET status = 'suspended' WHERE id = 'globex'`);
    expect((await examine()).bad).not.toContain('fail tenant globex');
    await inDatabase('tenant_globex', 'DROP INDEX users_email_key');
    expect((await examine()).bad).toContain('fail tenant globex');
    await inDatabase('tenant_globex', 'CREATE UNIQUE INDEX users_email_key ON users (email)');
    expect((await examine()).bad).not.toContain('fail tenant globex');
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
    // Although somebody changed it by hand: what it should be like is not known of an older one.
    expect(rest.filter(({ check }) => check === 'tenant acme')).toEqual([
      {
        status: 'fail',
        check: 'tenant acme',
        found: expect.stringMatching(/^\d+ migration\(s\) behind: /),
        advice: 'migrate',
      },
    ]);
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
