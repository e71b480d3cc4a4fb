import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { applyMigrations, type DatabaseKind } from '../src/migrate.js';
import { createSchemaEngine } from '../src/schema-engine.js';
import { createDatabase } from './create-database.js';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newDatabase(): Promise<{ url: string; client: Client }> {
  const database = createDatabase();
  cleanups.push(() => database.drop());
  const url = await database.url;
  const client = new Client({ connectionString: url });
  await client.connect();
  cleanups.push(() => client.end());
  return { url, client };
}

async function tablesIn(client: Client): Promise<string[]> {
  const { rows } = await client.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
  return rows.map((row) => row.tablename as string);
}

/** What Prisma knows of a database: columns, enums, keys and indexes, without what the migrations add by hand. */
async function shapeOf(client: Client) {
  const query = async (sql: string) => (await client.query(sql)).rows;
  return {
    columns: await query(
      `SELECT table_name, column_name, udt_name, datetime_precision, is_nullable, column_default
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1, 2`,
    ),
    enums: await query(
      `SELECT typname, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY typname, enumsortorder`,
    ),
    keys: await query(
      `SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype IN ('p', 'f', 'u') AND connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '_prisma_migrations' ORDER BY 1`,
    ),
    indexes: await query(
      `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
          AND indexname NOT IN ('tenants_one_system', 'signing_keys_one_active', 'sessions_live_expires_at') ORDER BY 1`,
    ),
  };
}

describe.each<DatabaseKind>(['master', 'tenant'])('the migrations of the %s database', (kind) => {
  test('lead to exactly what schema.prisma says', async () => {
    const [migrated, generated] = [await newDatabase(), await newDatabase()];
    await applyMigrations({ url: migrated.url, kind });
    const content = await readFile(new URL(`../${kind}/schema.prisma`, import.meta.url), 'utf8');
    const engine = await createSchemaEngine(generated.client);
    const { stdout } = await engine.diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    await generated.client.query(stdout!);
    expect(await shapeOf(migrated.client)).toEqual(await shapeOf(generated.client));
  });

  test('are recorded as Prisma records them, and applied once', async () => {
    const { url, client } = await newDatabase();
    const first = await applyMigrations({ url, kind });
    expect(first.applied.at(-1)).toBe(first.schemaVersion);
    expect(await applyMigrations({ url, kind })).toEqual({ applied: [], schemaVersion: first.schemaVersion });
    const { rows } = await client.query(
      'SELECT migration_name, finished_at IS NOT NULL AS done FROM _prisma_migrations',
    );
    expect(rows).toEqual(first.applied.map((name) => ({ migration_name: name, done: true })));
  });

  test('are applied once when several processes come at the same time', async () => {
    const { url } = await newDatabase();
    const results = await Promise.all([1, 2, 3, 4].map(() => applyMigrations({ url, kind })));
    const applied = results.map((result) => result.applied).filter((names) => names.length > 0);
    expect(applied).toHaveLength(1);
  });
});

test('says that another migration of the same database is waited for', async () => {
  const { url, client } = await newDatabase();
  await client.query('SELECT pg_advisory_lock(4820561)');
  let told = 0;
  const { applied } = await applyMigrations({
    url,
    kind: 'master',
    onWait: () => {
      told += 1;
      void client.query('SELECT pg_advisory_unlock(4820561)');
    },
  });
  expect([told, applied.length > 0]).toEqual([1, true]);
});

describe('a migration that does not come to its end', () => {
  test('killed in the middle leaves nothing behind, and the next run ends right', async () => {
    const { url, client } = await newDatabase();
    // A table of the same name, not committed, stops the migration in its middle.
    await client.query('BEGIN; CREATE TABLE audit_events ()');
    const source = `await (await import('@authsec/prisma/migrate')).applyMigrations({ url: process.argv[1], kind: 'tenant', lockTimeoutMs: 600_000 })`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source, url], {
      cwd: new URL('../../apps/manager', import.meta.url),
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const watcher = new Client({ connectionString: process.env.AUTHSEC_TEST_DATABASE_URL });
    await watcher.connect();
    cleanups.push(() => watcher.end());
    const migrating = async () =>
      (
        await watcher.query(
          `SELECT wait_event_type FROM pg_stat_activity WHERE application_name = 'authsec-migrate' AND datname = $1`,
          [new URL(url).pathname.slice(1)],
        )
      ).rows;
    while ((await migrating())[0]?.wait_event_type !== 'Lock') expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await ended;
    // Although what it waits for is still held: nobody who comes after it has to wait for a dead one.
    while ((await migrating()).length > 0) await delay(50);
    await client.query('ROLLBACK');
    expect(await tablesIn(client)).toEqual([]);

    expect((await applyMigrations({ url, kind: 'tenant' })).applied[0]).toMatch(/_init$/);
    expect(await tablesIn(client)).toContain('audit_events');
  });

  test('failing leaves nothing behind, says why, and the next run ends right', async () => {
    const { url, client } = await newDatabase();
    await client.query(`CREATE FUNCTION bump_policy_version() RETURNS int LANGUAGE sql AS 'SELECT 1'`);
    const error = (await applyMigrations({ url, kind: 'tenant' }).catch((reason: unknown) => reason)) as Error;
    expect(error.message).toMatch(/^migration \d+_init could not be applied$/);
    expect((error.cause as Error).message).toMatch(/function "bump_policy_version" already exists/);
    expect(await tablesIn(client)).toEqual([]);
    await client.query('DROP FUNCTION bump_policy_version');
    expect((await applyMigrations({ url, kind: 'tenant' })).applied[0]).toMatch(/_init$/);
  });
});

describe('a table that somebody holds', () => {
  test('makes the migration fail and say so, instead of holding up all who use the table', async () => {
    const { url, client } = await newDatabase();
    await client.query('BEGIN; CREATE TABLE audit_events ()');
    const migration = applyMigrations({ url, kind: 'tenant', lockTimeoutMs: 200 });
    await expect(migration).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/canceling statement due to lock timeout/) },
    });
    await client.query('ROLLBACK');
    expect(await tablesIn(client)).toEqual([]);
    expect((await applyMigrations({ url, kind: 'tenant' })).applied[0]).toMatch(/_init$/);
  });
});

describe('a database', () => {
  test('that is missing is made where that is asked for, also by several at once', async () => {
    const { url } = await newDatabase();
    const missing = new URL(url);
    missing.pathname += '_missing';
    await expect(applyMigrations({ url: missing.href, kind: 'master' })).rejects.toMatchObject({ code: '3D000' });
    await Promise.all(
      [1, 2, 3].map(() => applyMigrations({ url: missing.href, kind: 'master', createDatabase: true })),
    );
    const client = new Client({ connectionString: process.env.AUTHSEC_TEST_DATABASE_URL });
    await client.connect();
    await client.query(`DROP DATABASE ${missing.pathname.slice(1)} WITH (FORCE)`);
    await client.end();
  });

  test("that bears another tenant's stamp is left as it is", async () => {
    const { url, client } = await newDatabase();
    await client.query(`CREATE TABLE stamp (id int, tenant_id text); INSERT INTO stamp VALUES (1, 'globex')`);
    await expect(applyMigrations({ url, kind: 'tenant', stamp: 'acme-corp' })).rejects.toThrow(/bears another stamp/);
    expect(await tablesIn(client)).toEqual(['stamp']);
  });
});
