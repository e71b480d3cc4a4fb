import { AppError } from '../errors/app-error.js';

/** Codes of Node, PostgreSQL (SQLSTATE) and Prisma for a database that does not answer or does not let us in. */
const unavailable = new Set(
  (
    'ECONNREFUSED ECONNRESET ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EPIPE 08000 08001 ' +
    '08003 08004 08006 28000 28P01 3D000 53200 53300 55000 57014 57P01 57P02 57P03 57P04 57P05 25P03 58000 58030 ' +
    'P1000 P1001 P1002 P1003 P1008 P1010 P1011 P1017 P2024 P2037'
  ).split(' '),
);

/** The kinds that Prisma's driver adapter maps such errors to, where the code is lost. */
const unavailableKinds = new Set(
  (
    'DatabaseNotReachable ConnectionClosed SocketTimeout TlsConnectionError TooManyConnections ' +
    'DatabaseDoesNotExist DatabaseAccessDenied AuthenticationFailed'
  ).split(' '),
);

/** What pg and Prisma say without a code. */
const messages =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|pool after calling end|Unable to start a transaction in the given time/;

/** A database that is down, full or unreachable becomes AppError `tenant_unavailable`; any other error stays what it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof AppError || !isUnavailable(error, 0)) return error;
  return new AppError('tenant_unavailable', `the database is not available: ${messageOf(error)}`, { cause: error });
}

/** Runs `work`; its database errors come out translated. */
export async function withDatabaseErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

function isUnavailable(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > 4) return false;
  const { code, originalCode, kind, message, cause, meta } = error as Record<string, unknown>;
  if (typeof code === 'string' && unavailable.has(code)) return true;
  if (typeof originalCode === 'string' && unavailable.has(originalCode)) return true;
  if (typeof kind === 'string' && unavailableKinds.has(kind)) return true;
  if (typeof message === 'string' && messages.test(message)) return true;
  const adapterError = (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError;
  return isUnavailable(cause, depth + 1) || isUnavailable(adapterError, depth + 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
