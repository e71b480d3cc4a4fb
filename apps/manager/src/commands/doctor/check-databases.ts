import { Client } from 'pg';
import type { Config } from '../../config/load-config.js';
import type { Secret } from '../../config/secret.js';
import { describeError } from '../command-context.js';
import { adviseOnDatabase, placeOf } from '../database-errors.js';
import { checkSchema, databaseTimeoutMs } from './check-schema.js';
import { type Finding, fail, ok, warn } from './finding.js';

const oldestServer = 150_000;

/** The master database and the server of new tenants: reachable, of the right version, with the rights that are needed. */
export async function checkDatabases(config: Config): Promise<Finding[]> {
  const { masterDatabaseUrl, tenantDatabaseUrl, maxOpenTenants } = config;
  const master = asked('master database', masterDatabaseUrl, async (client) => [
    ...(await checkServer('master database', client)),
    ...(await checkConnections(client, maxOpenTenants)),
    await checkClock(client),
    ...(await checkSchema('master database', masterDatabaseUrl, 'master')),
  ]);
  const tenants = asked('server of tenants', tenantDatabaseUrl, async (client) => [
    ...(await checkServer('server of tenants', client)),
    await checkRights(client),
  ]);
  return (await Promise.all([master, tenants])).flat();
}

async function asked(check: string, url: Secret, look: (client: Client) => Promise<Finding[]>): Promise<Finding[]> {
  const client = new Client({
    connectionString: url.reveal(),
    connectionTimeoutMillis: databaseTimeoutMs,
    query_timeout: databaseTimeoutMs,
    application_name: 'authsec-doctor',
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await look(client);
  } catch (error) {
    return [fail(check, `${placeOf(url)}: ${describeError(error)}`, adviseOnDatabase(error, 'bootstrap'))];
  } finally {
    await client.end().catch(() => {});
  }
}

async function checkServer(check: string, client: Client): Promise<Finding[]> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name,
            (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS ssl`,
  );
  const { number, name, ssl } = rows[0] as { number: number; name: string; ssl: boolean };
  const found: Finding[] =
    number < oldestServer
      ? [fail(check, `PostgreSQL ${name}`, 'PostgreSQL 15 or newer')]
      : [ok(check, `PostgreSQL ${name}, ${ssl ? 'TLS' : 'no TLS'}`)];
  if (!ssl && !isLocal(client.host)) {
    found.push(
      warn(check, 'what is in it travels without TLS', 'sslmode=verify-full in the URL, and TLS on the server'),
    );
  }
  return found;
}

/** Each replica holds so many at most: 5 for each open tenant, and a dozen on the master. */
async function checkConnections(client: Client, maxOpenTenants: number): Promise<Finding[]> {
  const { rows } = await client.query(`SELECT current_setting('max_connections')::int AS most`);
  const { most } = rows[0] as { most: number };
  const perReplica = maxOpenTenants * 5 + 12;
  const text = `max_connections ${most}; one replica may hold ${perReplica}`;
  return perReplica > most
    ? [warn('connections', text, 'lower AUTHSEC_MAX_OPEN_TENANTS, or raise max_connections')]
    : [ok('connections', text)];
}

async function checkClock(client: Client): Promise<Finding> {
  const before = Date.now();
  const { rows } = await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now');
  const after = Date.now();
  const skewMs = Math.round(Number((rows[0] as { now: string }).now) - (before + after) / 2);
  const uncertainMs = Math.ceil((after - before) / 2);
  const text = `${skewMs} ms from the database's, measured to ${uncertainMs} ms`;
  if (Math.abs(skewMs) - uncertainMs > 5_000)
    return fail('clock', text, 'NTP on both machines: tokens and leases fail');
  if (Math.abs(skewMs) - uncertainMs > 1_000) return warn('clock', text, 'NTP on both machines');
  return ok('clock', text);
}

async function checkRights(client: Client): Promise<Finding> {
  const { rows } = await client.query(
    'SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = CURRENT_USER',
  );
  const role = rows[0] as { rolname: string; rolsuper: boolean; rolcreatedb: boolean; rolcreaterole: boolean };
  if (role.rolsuper) {
    return warn('rights', `${role.rolname} is a superuser`, 'a role with CREATEDB and CREATEROLE is enough');
  }
  return role.rolcreatedb && role.rolcreaterole
    ? ok('rights', `${role.rolname} may make databases and roles, and is no superuser`)
    : fail('rights', `${role.rolname} cannot make tenants`, `ALTER ROLE ${role.rolname} CREATEDB CREATEROLE`);
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || ['127.0.0.1', '::1', 'localhost'].includes(host);
}
