import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { describeSchema, parseSchema, type SchemaDescription } from './describe-schema.js';
import type { DatabaseKind } from './read-migrations.js';

/** One thing that a database has other than its migrations make it. */
export interface SchemaDifference {
  readonly kind: 'missing' | 'extra' | 'different';
  /** Such as `index users.users_email_key`. */
  readonly object: string;
  /** Not there where it is extra. */
  readonly expected?: string;
  /** Not there where it is missing. */
  readonly found?: string;
}

/**
 * What somebody changed by hand. Only reads; means something where no migration is pending or unknown.
 * Rejects where there is no such database, or it does not answer.
 */
export async function readSchemaDrift(options: {
  readonly url: string;
  readonly kind: DatabaseKind;
  readonly connectTimeoutMs?: number;
}): Promise<readonly SchemaDifference[]> {
  const { url, kind, connectTimeoutMs = 5_000 } = options;
  const expected = parseSchema(await readFile(expectedSchemaPath(kind), 'utf8'));
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
    application_name: 'authsec-schema-drift',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return compareSchemas(expected, await describeSchema(client));
  } finally {
    await client.end();
  }
}

/** What the migrations of this package make, as `pnpm schema:describe` wrote it. */
export function expectedSchemaPath(kind: DatabaseKind): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', 'expected', `${kind}.schema.txt`);
}

/** A table that is missing or extra stands for all that is in it. */
export function compareSchemas(expected: SchemaDescription, found: SchemaDescription): readonly SchemaDifference[] {
  const differences: SchemaDifference[] = [];
  for (const [object, definition] of expected) {
    const other = found.get(object);
    if (other === undefined) differences.push({ kind: 'missing', object, expected: definition });
    else if (isDifferent(definition, other))
      differences.push({ kind: 'different', object, expected: definition, found: other });
  }
  for (const [object, definition] of found) {
    if (!expected.has(object)) differences.push({ kind: 'extra', object, found: definition });
  }
  const whole = new Set(
    differences.filter(({ kind }) => kind !== 'different').map(({ kind, object }) => `${kind} ${object}`),
  );
  return differences.filter(({ kind, object }) => !whole.has(`${kind} table ${tableOf(object)}`));
}

/** A dump that was restored has fewer parentheses: PostgreSQL writes `(a AND b) AND c` so that it reads `a AND b AND c`. */
function isDifferent(definition: string, other: string): boolean {
  const flat = (text: string) => text.replaceAll(/[()]/g, '');
  return flat(definition) !== flat(other);
}

function tableOf(object: string): string | undefined {
  return /^\w+ ("(?:[^"]|"")*"|[^".]+)\./.exec(object)?.[1];
}
