import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { DevCredentials } from './dev-credentials.js';
import { demoTenants } from './seed-data.js';

/** A tenant's reports, and the account that makes others who may read them. */
export interface ReportsDatabase {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** SQL with `{{name}}`, `{{password}}` and `{{expiration}}`. */
  readonly creationStatements: readonly string[];
  readonly revocationStatements: readonly string[];
}

export function reportsDatabaseOf(tenantId: string, serverUrl: string, credentials: DevCredentials): ReportsDatabase {
  const { hostname, port } = new URL(serverUrl);
  const username = `reports_${tenantId}`;
  return {
    host: hostname,
    port: Number(port),
    database: `reports_${tenantId}`,
    username,
    password: credentials.reportsPassword(tenantId),
    creationStatements: [
      `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE "${readerOf(tenantId)}";`,
    ],
    // What still runs in its name ends before it does.
    revocationStatements: [
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';`,
      `DROP ROLE IF EXISTS "{{name}}";`,
    ],
  };
}

function readerOf(tenantId: string): string {
  return `reports_${tenantId}_reader`;
}

/** Makes the databases of the reports where they are missing; each account sees its own tenant's. */
export async function seedReports(serverUrl: string, credentials: DevCredentials): Promise<void> {
  for (const { tenantId, demo } of demoTenants) {
    if (!demo) continue;
    const reports = reportsDatabaseOf(tenantId, serverUrl, credentials);
    const [database, maker, reader] = [reports.database, reports.username, readerOf(tenantId)].map(escapeIdentifier);
    await withClient(serverUrl, async (client) => {
      await client.query(makeRole(reports.username, `LOGIN CREATEROLE PASSWORD ${escapeLiteral(reports.password)}`));
      // It may end the connections of the accounts that it makes, and does not become them.
      await client.query(`ALTER ROLE ${maker} SET createrole_self_grant = 'inherit'`);
      await client.query(makeRole(readerOf(tenantId), 'NOLOGIN'));
      await client.query(`GRANT ${reader} TO ${maker} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`);
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [reports.database]);
      if (!rowCount) await client.query(`CREATE DATABASE ${database}`);
      await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
      await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${maker}, ${reader}`);
    });
    const url = new URL(serverUrl);
    url.pathname = `/${reports.database}`;
    await withClient(url.href, async (client) => {
      await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
      await client.query('CREATE TABLE IF NOT EXISTS sales (region text PRIMARY KEY, orders int, revenue numeric)');
      await client.query(
        `INSERT INTO sales VALUES ('north', 42, 12000), ('south', 17, 8100.50), ('west', 23, 9999) ON CONFLICT DO NOTHING`,
      );
      await client.query(`GRANT USAGE ON SCHEMA public TO ${reader}`);
      await client.query(`GRANT SELECT ON sales TO ${reader}`);
    });
  }
}

function makeRole(name: string, options: string): string {
  const [literal, identifier] = [escapeLiteral(name), escapeIdentifier(name)];
  return `DO $do$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = ${literal}) THEN CREATE ROLE ${identifier}; END IF;
    ALTER ROLE ${identifier} ${options};
  END $do$`;
}

async function withClient(connectionString: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
