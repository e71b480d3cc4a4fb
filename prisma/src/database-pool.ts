import { PrismaPg } from '@prisma/adapter-pg';
import { type PoolConfig } from 'pg';

export interface DatabaseOptions {
  /** PostgreSQL URL. */
  readonly url: string;
  /** Cap of open connections; default 10. */
  readonly maxConnections?: number;
  /** For opening a connection, and for waiting until one is free; default 2 s. */
  readonly connectTimeoutMs?: number;
  /** A statement that runs longer is cancelled, and one that a dead network swallows is given up; default 10 s. */
  readonly statementTimeoutMs?: number;
  /** After this an unused connection is closed; default 30 s. */
  readonly idleTimeoutMs?: number;
  /** Told of connections that broke while nobody used them; for the log. */
  readonly onError?: (error: Error) => void;
}

/** Prisma on a capped pg pool, opened at the first query; `$disconnect` ends the pool. */
export function createAdapter(options: DatabaseOptions): PrismaPg {
  const {
    maxConnections = 10,
    connectTimeoutMs = 2_000,
    statementTimeoutMs = 10_000,
    idleTimeoutMs = 30_000,
  } = options;
  const onError = options.onError ?? (() => {});
  const pool: PoolConfig = {
    connectionString: options.url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 1_000,
    idle_in_transaction_session_timeout: statementTimeoutMs + 1_000,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: 'authsec',
  };
  return new PrismaPg(pool, { onPoolError: onError, onConnectionError: onError });
}
