import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** A database of its own on the test server: empty, or a copy of one that nobody is connected to. */
export function createDatabase(template = 'template0'): { url: Promise<string>; drop(): Promise<void> } {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = new URL(process.env.AUTHSEC_TEST_DATABASE_URL!);
  const run = async (sql: string) => {
    const client = new Client({ connectionString: process.env.AUTHSEC_TEST_DATABASE_URL });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const created = run(`CREATE DATABASE ${name} TEMPLATE ${template}`).then(() => {
    url.pathname = `/${name}`;
    return url.href;
  });
  return { url: created, drop: async () => (await created, run(`DROP DATABASE ${name} WITH (FORCE)`)) };
}
