import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm';
import { Client, escapeIdentifier } from 'pg';
import { type DatabaseKind, readMigrations } from './read-migrations.js';
import { createSchemaEngine } from './schema-engine.js';

export type { DatabaseKind } from './read-migrations.js';
export { type MigrationStatus, readMigrationStatus } from './migration-status.js';
export { readSchemaDrift, type SchemaDifference } from './schema-drift.js';

export interface MigrateOptions {
  /** PostgreSQL URL of the database, with a role that owns it. */
  readonly url: string;
  readonly kind: DatabaseKind;
  readonly connectTimeoutMs?: number;
  /** Makes the database first where there is none; the role must be allowed to. */
  readonly createDatabase?: boolean;
  /** A table that somebody else holds for longer makes a migration fail instead of wait; default 30 s. */
  readonly lockTimeoutMs?: number;
  /** The tenant whose database this must be: one that bears another's stamp is left as it is. */
  readonly stamp?: string;
  /** Told once, where somebody else has been migrating this database for two seconds: it is waited for. */
  readonly onWait?: (() => void) | undefined;
}

export interface MigrateResult {
  /** What was applied by this call, oldest first. */
  readonly applied: readonly string[];
  /** The newest migration that the database now has. */
  readonly schemaVersion: string;
}

/** Serialises migrations of one database; any number that no other advisory lock of ours uses. */
const migrationLock = 4_820_561;

/**
 * Brings a database up to date by Prisma's own engine. Each migration and its row in `_prisma_migrations` are one
 * transaction: killed at any point and called again, or called by several processes at once, it ends right.
 */
export async function applyMigrations(options: MigrateOptions): Promise<MigrateResult> {
  const list = await readMigrations(options.kind);
  const client = await connect(options);
  try {
    await noticeWhenGone(client);
    await waitForLock(client, options.onWait);
    // Not before: who migrates it now may well take longer. Who waits for a table makes all wait who come after.
    await client.query(`SET lock_timeout = ${options.lockTimeoutMs ?? 30_000}`);
    if (options.stamp !== undefined) await assertStamp(client, options.stamp);
    const engine = await createSchemaEngine(client);
    try {
      return { applied: await applyEach(client, engine, list), schemaVersion: newestOf(list) };
    } finally {
      engine.free();
    }
  } finally {
    await client.end();
  }
}

async function waitForLock(client: Client, onWait: () => void = () => {}): Promise<void> {
  const telling = setTimeout(onWait, 2_000);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
  } finally {
    clearTimeout(telling);
  }
}

async function connect(options: MigrateOptions): Promise<Client> {
  try {
    return await open(options.url, options);
  } catch (error) {
    if (!options.createDatabase || (error as { code?: unknown }).code !== '3D000') throw error;
    const maintenance = new URL(options.url);
    const name = decodeURIComponent(maintenance.pathname.slice(1));
    maintenance.pathname = '/postgres';
    const client = await open(maintenance.href, options);
    try {
      await client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`);
    } catch (creation) {
      // 42P04 and 23505: another process was first.
      if (!['42P04', '23505'].includes(String((creation as { code?: unknown }).code))) throw creation;
    } finally {
      await client.end();
    }
    return open(options.url, options);
  }
}

async function open(url: string, { connectTimeoutMs = 5_000 }: MigrateOptions): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'authsec-migrate',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A migration that was killed, or whose network broke, must not keep its locks until the server learns of it by chance. */
async function noticeWhenGone(client: Client): Promise<void> {
  const settings = { client_connection_check_interval: 2_000, tcp_keepalives_idle: 30, tcp_keepalives_interval: 10 };
  for (const [name, value] of Object.entries(settings)) {
    // Not every platform that a server runs on has them all.
    await client.query(`SET ${name} = ${value}`).catch(() => {});
  }
}

async function assertStamp(client: Client, stamp: string): Promise<void> {
  if (!(await hasTable(client, 'stamp'))) return;
  const { rows } = await client.query('SELECT tenant_id FROM stamp');
  if (rows.some((row) => row.tenant_id !== stamp)) throw new Error(`the database bears another stamp than ${stamp}`);
}

async function hasTable(client: Client, name: string): Promise<boolean> {
  return (await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [name])).rows[0].there as boolean;
}

async function applyEach(client: Client, engine: SchemaEngine, list: MigrationList): Promise<string[]> {
  const applied: string[] = [];
  const done = await appliedMigrations(client);
  for (const [index, { path }] of list.migrationDirectories.entries()) {
    if (done.has(path)) continue;
    const migrationsList = { ...list, migrationDirectories: list.migrationDirectories.slice(0, index + 1) };
    await client.query('BEGIN');
    try {
      const filters = { externalTables: [], externalEnums: [] };
      applied.push(...(await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw new Error(`migration ${path} could not be applied`, { cause: error });
    }
  }
  return applied;
}

async function appliedMigrations(client: Client): Promise<ReadonlySet<string>> {
  if (!(await hasTable(client, '_prisma_migrations'))) return new Set();
  const { rows } = await client.query(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  return new Set(rows.map((row) => row.migration_name as string));
}

/** The newest migration that this package has. */
export async function latestSchemaVersion(kind: DatabaseKind): Promise<string> {
  return newestOf(await readMigrations(kind));
}

function newestOf(list: MigrationList): string {
  return list.migrationDirectories.at(-1)?.path ?? 'none';
}
