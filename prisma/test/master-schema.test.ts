import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { applyMigrations } from '../src/migrate.js';
import { createDatabase } from './create-database.js';

const database = createDatabase();
let client: Client;

beforeAll(async () => {
  const url = await database.url;
  await applyMigrations({ url, kind: 'master' });
  client = new Client({ connectionString: url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const insert = (id: string, isSystem = false) =>
  client.query(
    `INSERT INTO tenants (id, display_name, is_system, sealed_database_url, updated_at) VALUES ($1, 'A tenant', $2, '', now())`,
    [id, isSystem],
  );

describe('a tenant id', () => {
  test.each(['a', 'Acme', 'acme_corp', '1acme', '-acme', 'acme corp', `a${'b'.repeat(40)}`, 'acme\n', ''])(
    'of the form %j is refused',
    (id) => expect(insert(id)).rejects.toMatchObject({ constraint: 'tenants_id_pattern' }),
  );

  test('that is a reserved word is refused, but for the system tenant', async () => {
    await expect(insert('admin')).rejects.toMatchObject({ constraint: 'tenants_id_not_reserved' });
    await expect(insert('system', true)).resolves.toBeDefined();
  });

  test('cannot be changed', async () => {
    await insert('unchanging');
    await expect(client.query(`UPDATE tenants SET id = 'other' WHERE id = 'unchanging'`)).rejects.toThrow(/immutable/);
    await client.query(`UPDATE tenants SET id = id, display_name = 'New' WHERE id = 'unchanging'`);
  });

  test('is never given again after its tenant was deleted', async () => {
    await insert('gone');
    await client.query(`DELETE FROM tenants WHERE id = 'gone'`);
    await expect(insert('gone')).rejects.toMatchObject({ code: '23505', constraint: 'tenants_id_never_reused' });
  });
});

test('there is one system tenant at most', async () => {
  await client.query('DELETE FROM tenants WHERE is_system');
  await insert('operators', true);
  await expect(insert('operators2', true)).rejects.toMatchObject({ constraint: 'tenants_one_system' });
});

test('roles that are not granted it cannot connect to the master', async () => {
  const { rows } = await client.query(`SELECT has_database_privilege('public', current_database(), 'CONNECT') AS may`);
  expect(rows).toEqual([{ may: false }]);
});
