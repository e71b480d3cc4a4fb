import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { applyMigrations, readSchemaDrift } from '@authsec/prisma/migrate';
import { describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { findInstalledPostgres, startInstalledPostgres } from './installed-postgres.js';

const bin = findInstalledPostgres();
const required = process.env['AUTHSEC_REQUIRE_POSTGRES_TOOLS'] === '1';
if (!bin) process.stderr.write('skipped: another PostgreSQL than the embedded one (apt-get install postgresql)\n');
const suite = bin || required ? describe : describe.skip;

/** Dumped, and restored beside itself. */
function restore(serverUrl: string, kind: string, name: string): string {
  const target = serverUrl.replace(/postgres$/, name);
  const [dump, psql] = [join(bin ?? '', 'pg_dump'), join(bin ?? '', 'psql')];
  execFileSync(psql, ['-Xqc', `CREATE DATABASE ${name} TEMPLATE template0`, serverUrl]);
  const input = execFileSync(dump, [serverUrl.replace(/postgres$/, kind)]);
  execFileSync(psql, ['-Xq', '-v', 'ON_ERROR_STOP=1', target], { input, stdio: ['pipe', 'ignore', 'inherit'] });
  execFileSync(psql, ['-Xqc', `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`, serverUrl]);
  return target;
}

suite('the PostgreSQL of the distribution, of another version than the embedded one', () => {
  test.each(['master', 'tenant'] as const)(
    'says the same of a %s database that nobody changed, also after it was dumped and restored',
    async (kind) => {
      const server = await startInstalledPostgres(bin ?? '');
      try {
        const url = server.url.replace(/postgres$/, kind);
        await applyMigrations({ url, kind, createDatabase: true });
        const client = new Client({ connectionString: url });
        client.on('error', () => {});
        await client.connect();
        await client.query(`REVOKE ALL ON DATABASE ${kind} FROM PUBLIC`);
        expect(await readSchemaDrift({ url, kind })).toEqual([]);
        expect(await readSchemaDrift({ url: restore(server.url, kind, 'restored'), kind })).toEqual([]);
        await client.query('CREATE SEQUENCE mine');
        expect(await readSchemaDrift({ url, kind })).toEqual([{ kind: 'extra', object: 'sequence mine', found: '' }]);
        await client.end();
      } finally {
        await server.stop();
      }
    },
  );
});
