import type { Secret } from '../config/secret.js';
import { CommandFailure, describeError } from './command-context.js';

/** Where a database is, without who connects to it. */
export function placeOf(url: Secret): string {
  const { host, pathname } = new URL(url.reveal());
  return `${host}${decodePart(pathname)}`;
}

/** Of a URL; one with a % that begins nothing is taken as it is, as PostgreSQL's clients do. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** What to look at when a database does not let us in; `missing` where there is none of this name. */
export function adviseOnDatabase(error: unknown, missing: string): string {
  const { code, message = '' } = Object(error) as { code?: unknown; message?: string };
  if (code === '3D000') return missing;
  if (code === '28P01' || code === '28000') return "the role, its password, and the server's pg_hba.conf";
  if (code === '53300') return 'raise max_connections, or lower AUTHSEC_MAX_OPEN_TENANTS';
  if (isSilent(error) || /^E[A-Z]{4,}/.test(String(code))) return 'is the server up? Then name, port and firewall';
  if (/SSL|certificate/i.test(message)) return "TLS: sslmode of the URL, and the server's certificate";
  return 'look at the address, the password and who may connect';
}

/** It let us connect, or not even that, and then said nothing. */
export function isSilent(error: unknown): boolean {
  return /timeout/i.test(String(Reflect.get(Object(error), 'message')));
}

/** Runs what needs only the master database; where that does not let us in, the failure says which one it is. */
export async function reachMaster<T>(url: Secret, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandFailure || isMigrationFailure(error)) throw error;
    const advice = adviseOnDatabase(error, '`bootstrap` makes it');
    throw new CommandFailure(
      `the master database (${placeOf(url)}) cannot be used: ${describeError(error)}\n${advice}`,
      {
        cause: error,
      },
    );
  }
}

function isMigrationFailure(error: unknown): boolean {
  return String(Reflect.get(Object(error), 'message')).startsWith('migration ');
}
