import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { Secret } from '../config/secret.js';
import { AppError } from '../errors/app-error.js';
import { scramVerifier } from './scram-verifier.js';

/** A PostgreSQL server on which tenants' databases are made; every call may be repeated. */
export interface DatabaseServer {
  hasDatabase(name: string): Promise<boolean>;
  /** A role that can do nothing but log in, with this password. */
  ensureRole(name: string, password: Secret): Promise<void>;
  /** AppError `conflict` where a database of this name belongs to another role. */
  ensureDatabase(name: string, owner: string): Promise<void>;
  /** Only the owner may connect to it, and no tenant's role to template1 or the database that this server was reached by. */
  restrictAccess(name: string): Promise<void>;
  close(): Promise<void>;
}

/** `url`: a role that may create roles and databases. */
export async function connectDatabaseServer(url: Secret): Promise<DatabaseServer> {
  const client = await connect(url);
  const quote = escapeIdentifier;

  async function exists(sql: string, name: string): Promise<boolean> {
    return (await client.query(sql, [name])).rows.length > 0;
  }

  /** Roles and databases are shared by the whole server: changing one row from two sessions at once fails. */
  async function alone(work: () => Promise<void>): Promise<void> {
    await client.query('SELECT pg_advisory_lock($1)', [serverLock]);
    try {
      await work();
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [serverLock]);
    }
  }

  return {
    hasDatabase: (name) => exists('SELECT FROM pg_database WHERE datname = $1', name),

    ensureRole: (name, password) =>
      alone(async () => {
        const attributes = `LOGIN NOCREATEDB NOCREATEROLE INHERIT PASSWORD ${escapeLiteral(scramVerifier(password.reveal()))}`;
        const verb = (await exists('SELECT FROM pg_roles WHERE rolname = $1', name)) ? 'ALTER' : 'CREATE';
        await client.query(`${verb} ROLE ${quote(name)} ${attributes}`);
        const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER');
        if (!rows[0].rolsuper) await client.query(`GRANT ${quote(name)} TO CURRENT_USER`);
      }),

    async ensureDatabase(name, owner) {
      if (!(await exists('SELECT FROM pg_database WHERE datname = $1', name))) {
        // LC_COLLATE C: an order that no upgrade of the system's locales changes under an index.
        await client.query(
          `CREATE DATABASE ${quote(name)} OWNER ${quote(owner)} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`,
        );
      }
      const { rows } = await client.query(
        'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1',
        [name],
      );
      if (rows[0]?.owner !== owner) throw new AppError('conflict', `database ${name} belongs to ${rows[0]?.owner}`);
    },

    restrictAccess: (name) =>
      alone(async () => {
        const { rows } = await client.query(
          `SELECT datname FROM pg_database WHERE datname IN ($1, current_database(), 'template1')
             AND (has_database_privilege('public', oid, 'CONNECT') OR has_database_privilege('public', oid, 'TEMPORARY'))`,
          [name],
        );
        for (const { datname } of rows) {
          await client.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${quote(datname)} TO CURRENT_USER`);
          await client.query(`REVOKE ALL ON DATABASE ${quote(datname)} FROM PUBLIC`);
        }
      }),

    close: () => client.end(),
  };
}

/** Runs `work` while no other process runs one for the same name; who comes second waits. */
export async function withDatabaseLock<T>(url: Secret, name: string, work: () => Promise<T>): Promise<T> {
  const client = await connect(url);
  try {
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
    return await work();
  } finally {
    await client.end();
  }
}

const serverLock = 4_820_562;

async function connect(url: Secret): Promise<Client> {
  const client = new Client({
    connectionString: url.reveal(),
    connectionTimeoutMillis: 5_000,
    // A server that hangs, or a lock that is held, must not hold a request for ever.
    query_timeout: 120_000,
    application_name: 'authsec-provision',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}
