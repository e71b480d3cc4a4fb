// Writes what the migrations make of an empty database into expected/: `doctor` compares databases with it.
// Usage, after a build: pnpm schema:describe
import { writeFile } from 'node:fs/promises';
import { startPostgres } from '@authsec/config/embedded-postgres';
import { Client } from 'pg';
import { describeSchema, formatSchema } from '../dist/describe-schema.js';
import { applyMigrations } from '../dist/migrate.js';
import { expectedSchemaPath } from '../dist/schema-drift.js';

const server = await startPostgres({ password: 'scratch', unsafe: true });
try {
  for (const kind of ['master', 'tenant']) {
    const url = server.url.replace(/postgres$/, kind);
    await applyMigrations({ url, kind, createDatabase: true });
    const client = new Client({ connectionString: url });
    await client.connect();
    // As the Manager leaves a database that it made.
    await client.query(`REVOKE ALL ON DATABASE ${kind} FROM PUBLIC`);
    await writeFile(expectedSchemaPath(kind), formatSchema(await describeSchema(client)));
    await client.end();
    process.stdout.write(`${expectedSchemaPath(kind)}\n`);
  }
} finally {
  await server.stop();
}
