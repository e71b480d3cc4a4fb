import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { type DatabaseKind, readMigrations } from './read-migrations.js';

/** How a database stands to the migrations of this package; all lists are names, oldest first. */
export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** In the database and not here: it was migrated by a newer version. */
  readonly unknown: readonly string[];
  /** Applied with another content than they have here. */
  readonly changed: readonly string[];
  /** Begun and neither finished nor rolled back. */
  readonly unfinished: readonly string[];
}

interface Row {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/** Only reads. Rejects where there is no such database, or it does not answer. */
export async function readMigrationStatus(options: {
  readonly url: string;
  readonly kind: DatabaseKind;
  readonly connectTimeoutMs?: number;
}): Promise<MigrationStatus> {
  const { url, kind, connectTimeoutMs = 5_000 } = options;
  const rows = await readRows(url, connectTimeoutMs);
  const { migrationDirectories } = await readMigrations(kind);
  const checksums = new Map(
    migrationDirectories.map(({ path, migrationFile: { content } }) => [
      path,
      content.tag === 'ok' ? createHash('sha256').update(content.value).digest('hex') : '',
    ]),
  );
  const applied = rows.filter(({ finished }) => finished);
  const names = (list: readonly Row[]) => list.map(({ name }) => name);
  const done = new Set(names(applied));
  return {
    applied: names(applied),
    pending: [...checksums.keys()].filter((name) => !done.has(name)),
    unknown: names(applied).filter((name) => !checksums.has(name)),
    changed: names(applied.filter(({ name, checksum }) => checksums.has(name) && checksums.get(name) !== checksum)),
    unfinished: names(rows.filter(({ finished }) => !finished)),
  };
}

async function readRows(connectionString: string, connectTimeoutMs: number): Promise<Row[]> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
    application_name: 'authsec-migration-status',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows: found } = await client.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`);
    if (!found[0].there) return [];
    const { rows } = await client.query<Row>(
      `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
         FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
    );
    return rows;
  } finally {
    await client.end();
  }
}
