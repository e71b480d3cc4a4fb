import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { applyMigrations } from '../src/migrate.js';
import { createDatabase } from './create-database.js';

const database = createDatabase();
const id = (last: number) => `00000000-0000-4000-8000-${String(last).padStart(12, '0')}`;
let client: Client;

beforeAll(async () => {
  const url = await database.url;
  await applyMigrations({ url, kind: 'tenant' });
  client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`
    INSERT INTO users (id, email, updated_at) VALUES ('${id(1)}', 'ada@acme.example', now()), ('${id(2)}', 'bob@acme.example', now());
    INSERT INTO roles (id, name) VALUES ('${id(1)}', 'admin'), ('${id(2)}', 'developer');
    INSERT INTO groups (id, name) VALUES ('${id(1)}', 'engineering'), ('${id(2)}', 'sales');
    INSERT INTO scopes (id, name) VALUES ('${id(1)}', 'read'), ('${id(2)}', 'write');
    INSERT INTO resources (id, name) VALUES ('${id(1)}', 'analytics'), ('${id(2)}', 'billing');
    INSERT INTO permissions (id, name) VALUES ('${id(1)}', 'projects:read'), ('${id(2)}', 'projects:delete');
    INSERT INTO applications (id, client_id, name, updated_at) VALUES ('${id(1)}', 'app', 'App', now()), ('${id(2)}', 'other', 'Other', now());
  `);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function versionNow(): Promise<bigint> {
  return BigInt((await client.query('SELECT policy_version FROM policy_state')).rows[0].policy_version as string);
}

/** By how much one statement moves the policy version; its transaction is undone. */
async function bumpOf(...statements: string[]): Promise<bigint> {
  await client.query('BEGIN');
  try {
    for (const statement of statements.slice(0, -1)) await client.query(statement);
    const before = await versionNow();
    await client.query(statements.at(-1)!);
    return (await versionNow()) - before;
  } finally {
    await client.query('ROLLBACK');
  }
}

const catalogue = ['roles', 'groups', 'scopes', 'resources', 'permissions'];
const joins: [table: string, left: string, right: string][] = [
  ['user_roles', 'user_id', 'role_id'],
  ['group_members', 'group_id', 'user_id'],
  ['group_roles', 'group_id', 'role_id'],
  ['role_permissions', 'role_id', 'permission_id'],
  ['user_scopes', 'user_id', 'scope_id'],
  ['group_scopes', 'group_id', 'scope_id'],
  ['role_scopes', 'role_id', 'scope_id'],
  ['user_resources', 'user_id', 'resource_id'],
  ['group_resources', 'group_id', 'resource_id'],
  ['role_resources', 'role_id', 'resource_id'],
  ['application_roles', 'application_id', 'role_id'],
];
/** Tables that say nothing of what anyone may do. */
const others = (
  '_prisma_migrations stamp policy_state password_credentials identity_providers external_identities sign_in_attempts sign_in_settings ' +
  'signing_keys provider_models pushed_logins sessions revoked_tokens decisions service_configurations tool_manifests ' +
  'audit_events service_connections service_connect_attempts service_leases sealed_secrets'
).split(' ');

describe('the policy version moves in the transaction of', () => {
  test.each(catalogue)('each change of %s', async (table) => {
    const name = table === 'permissions' ? 'a:b' : 'new';
    expect(await bumpOf(`INSERT INTO ${table} (name) VALUES ('${name}')`)).toBe(1n);
    expect(await bumpOf(`UPDATE ${table} SET name = '${name}' WHERE id = '${id(1)}'`)).toBe(1n);
    expect(await bumpOf(`DELETE FROM ${table} WHERE id = '${id(1)}'`)).toBeGreaterThanOrEqual(1n);
    expect(await bumpOf(`TRUNCATE ${table} CASCADE`)).toBeGreaterThanOrEqual(1n);
  });

  test.each(joins)('each change of %s', async (table, left, right) => {
    const insert = `INSERT INTO ${table} (${left}, ${right}) VALUES ('${id(1)}', '${id(2)}')`;
    expect(await bumpOf(insert)).toBe(1n);
    expect(await bumpOf(insert, `UPDATE ${table} SET ${right} = '${id(1)}'`)).toBe(1n);
    expect(await bumpOf(insert, `DELETE FROM ${table}`)).toBe(1n);
    expect(await bumpOf(insert, `TRUNCATE ${table}`)).toBe(1n);
    const { rows } = await client.query(
      `SELECT FROM information_schema.columns WHERE table_name = $1 AND column_name = 'expires_at'`,
      [table],
    );
    if (rows.length > 0) expect(await bumpOf(insert, `UPDATE ${table} SET expires_at = now()`)).toBe(1n);
  });

  test.each(["email = 'new@acme.example'", 'email_verified = true', "status = 'disabled'"])(
    'a user changed: %s',
    async (change) => expect(await bumpOf(`UPDATE users SET ${change} WHERE id = '${id(1)}'`)).toBe(1n),
  );

  test.each(["scopes = '{read}'", "status = 'disabled'", "resource_url = 'https://mcp.example'"])(
    'an application changed: %s',
    async (change) => expect(await bumpOf(`UPDATE applications SET ${change} WHERE id = '${id(1)}'`)).toBe(1n),
  );

  test.each(['users', 'applications'])('one of %s deleted', async (table) => {
    expect(await bumpOf(`DELETE FROM ${table} WHERE id = '${id(1)}'`)).toBeGreaterThanOrEqual(1n);
  });

  test('no change that means nothing for rights', async () => {
    expect(await bumpOf(`UPDATE users SET display_name = 'Ada', updated_at = now()`)).toBe(0n);
    expect(await bumpOf(`UPDATE applications SET name = 'New', updated_at = now()`)).toBe(0n);
    expect(await bumpOf(`UPDATE roles SET description = 'New'`)).toBe(0n);
    expect(await bumpOf(`INSERT INTO users (email, updated_at) VALUES ('new@acme.example', now())`)).toBe(0n);
  });

  test('every table that is not named here as one without rights', async () => {
    const { rows } = await client.query(
      `SELECT tablename, EXISTS (SELECT FROM pg_trigger WHERE tgname = 'bump_policy_version' AND tgrelid = tablename::regclass) AS bumps
         FROM pg_tables WHERE schemaname = 'public'`,
    );
    const bumping = rows.filter((row) => row.bumps).map((row) => row.tablename as string);
    expect(bumping.sort()).toEqual([...catalogue, ...joins.map(([table]) => table), 'users', 'applications'].sort());
    expect(rows.map((row) => row.tablename as string).sort()).toEqual([...bumping, ...others].sort());
  });
});

describe('two changes of rights at once', () => {
  test('are put in a row by the policy version, and neither is lost', async () => {
    const url = await database.url;
    const before = await versionNow();
    const clients = [new Client({ connectionString: url }), new Client({ connectionString: url })] as const;
    for (const each of clients) await each.connect();
    await clients[0].query('BEGIN');
    await clients[0].query(`INSERT INTO roles (name) VALUES ('first')`);
    const second = clients[1].query(`INSERT INTO roles (name) VALUES ('second')`);
    expect(await versionNow()).toBe(before);
    await clients[0].query('COMMIT');
    await second;
    expect(await versionNow()).toBe(before + 2n);
    await client.query(`DELETE FROM roles WHERE name IN ('first', 'second')`);
    for (const each of clients) await each.end();
  });
});

describe('the database refuses', () => {
  test.each([
    ['an e-mail that is not lower case', `INSERT INTO users (email, updated_at) VALUES ('Ada@x.example', now())`],
    ['an empty e-mail', `UPDATE users SET email = '' WHERE id = '${id(1)}'`],
    ['an empty role name', `INSERT INTO roles (name) VALUES ('')`],
    ['a name with a control character', `INSERT INTO scopes (name) VALUES (E'read\\u0007')`],
    ['a name of 201 characters', `INSERT INTO groups (name) VALUES (repeat('x', 201))`],
    ['a permission without an action', `INSERT INTO permissions (name) VALUES ('projects:')`],
    ['a second policy state', `INSERT INTO policy_state (id) VALUES (2)`],
    ['a second stamp', `INSERT INTO stamp (id, tenant_id) VALUES (2, 'acme-corp')`],
    ['a stamp that is no tenant id', `INSERT INTO stamp (tenant_id) VALUES ('Acme Corp')`],
    [
      'a service whose name could be mistaken for a path',
      `INSERT INTO service_configurations (name, kind, settings, requirement, updated_at) VALUES ('../x', 'bearer', '{}', '{}', now())`,
    ],
    [
      'a previous secret without an end',
      `INSERT INTO service_configurations (name, kind, settings, requirement, secret_version, previous_secret_version, updated_at) VALUES ('x', 'bearer', '{}', '{}', 2, 1, now())`,
    ],
    [
      'a destroyed secret of which something is left',
      `INSERT INTO sealed_secrets (collection, service_id, owner_id, version, key_id, sealed, sealed_key, destroyed_at) VALUES ('services', '${id(1)}', '00000000-0000-0000-0000-000000000000', 1, 'k1', '', '', now())`,
    ],
    [
      'a connection of nobody',
      `INSERT INTO sealed_secrets (collection, service_id, owner_id, version, key_id, sealed, sealed_key) VALUES ('connections', '${id(1)}', '00000000-0000-0000-0000-000000000000', 1, 'k1', '', '')`,
    ],
    ['an application without a name', `UPDATE applications SET name = ''`],
    [
      'a session that ended without its place in the feed',
      `INSERT INTO sessions (id, user_id, application_id, expires_at, ended_at, end_reason) VALUES ('s', '${id(1)}', '${id(1)}', now(), now(), 'revoked')`,
    ],
  ])('%s', async (_, sql) => {
    await client.query('BEGIN');
    await expect(client.query(sql)).rejects.toMatchObject({ code: '23514' });
    await client.query('ROLLBACK');
  });

  test('a second key that signs with the same algorithm', async () => {
    await client.query('BEGIN');
    const insert = `INSERT INTO signing_keys (kid, alg, public_jwk, sealed_private_jwk) VALUES ($1, 'ES256', '{}', '')`;
    await client.query(insert, ['a']);
    await expect(client.query(insert, ['b'])).rejects.toMatchObject({ constraint: 'signing_keys_one_active' });
    await client.query('ROLLBACK');
  });

  test.each(['ünïcode', '__proto__', 'constructor', 'a b', 'x'.repeat(200)])('no ordinary name: %j', async (name) => {
    await client.query('BEGIN');
    await client.query('INSERT INTO roles (name) VALUES ($1)', [name]);
    await client.query('ROLLBACK');
  });
});
