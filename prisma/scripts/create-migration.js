// Writes what changed in schema.prisma since the last commit as a new migration, without Prisma's native engine.
// Usage: pnpm migration <master|tenant> <name_in_snake_case>; then read and complete the SQL by hand, and pnpm schema:describe.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from '@authsec/config/embedded-postgres';
import { Client } from 'pg';
import { createSchemaEngine } from '../dist/schema-engine.js';

const [kind, name] = process.argv.slice(2);
if (!['master', 'tenant'].includes(kind) || !/^[a-z0-9_]+$/.test(name ?? '')) {
  throw new TypeError('usage: pnpm migration <master|tenant> <name_in_snake_case>');
}

const root = join(import.meta.dirname, '..', kind);
const before = execFileSync('git', ['show', 'HEAD:./schema.prisma'], { cwd: root, encoding: 'utf8' });
const after = await readFile(join(root, 'schema.prisma'), 'utf8');
const target = (content) => ({ tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] });

const server = await startPostgres({ password: 'scratch', unsafe: true });
const client = new Client({ connectionString: server.url });
try {
  await client.connect();
  const engine = await createSchemaEngine(client);
  const filters = { externalTables: [], externalEnums: [] };
  const { stdout } = await engine.diff({
    from: target(before),
    to: target(after),
    script: true,
    exitCode: null,
    filters,
  });
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const directory = join(root, 'migrations', `${stamp}_${name}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'migration.sql'), stdout);
  process.stdout.write(`${join(directory, 'migration.sql')}\n`);
} finally {
  await client.end();
  await server.stop();
}
