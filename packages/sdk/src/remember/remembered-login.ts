import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '../author-log.js';
import { type FileLockOptions, withFileLock } from './file-lock.js';
import { isPrivateFolder, readPrivateFile, removePrivateFile, writePrivateFile } from './private-file.js';

/** A login that outlives the process: whoever can read it can act as this person, on this machine, until it ends. */
export interface RememberedLogin {
  readonly sid: string;
  readonly sub: string;
  readonly email: string;
  readonly refreshToken: string;
  /** The refresh token was sent under this name, and no answer to it was kept: it may be asked for again. */
  readonly attempt?: string;
}

export interface RememberedLogins {
  /** Undefined where there is none, or none that can be trusted; the log says why. */
  read(): Promise<RememberedLogin | undefined>;
  save(login: RememberedLogin): Promise<void>;
  /** Forgets the login, if it is still this one. */
  forget(sid: string): Promise<void>;
  /** Does the work while no other process of this person reads, spends or replaces the refresh token. */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

export interface RememberedLoginsOptions {
  readonly folder: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly log: Logger;
  readonly lock: FileLockOptions;
}

const version = 1;

/** The one login that this person has with an application of an issuer, in a file of their own (0600). */
export function createRememberedLogins(options: RememberedLoginsOptions): RememberedLogins {
  const { folder, issuer, clientId, log, lock } = options;
  const name = createHash('sha256').update(`${issuer}\n${clientId}`).digest('hex').slice(0, 32);
  const path = join(folder, `${name}.json`);

  async function read(): Promise<RememberedLogin | undefined> {
    try {
      if (!(await isPrivateFolder(folder))) return undefined;
      const text = await readPrivateFile(path);
      if (text === undefined) return undefined;
      const login = parse(text, { issuer, clientId });
      if (!login) log.warn('the remembered login cannot be read: it is ignored', { path });
      return login;
    } catch (error) {
      log.warn('the remembered login is refused', { path, reason: messageOf(error) });
      return undefined;
    }
  }

  return {
    read,
    save: (login) => writePrivateFile(path, `${JSON.stringify({ version, issuer, clientId, ...login })}\n`),
    async forget(sid) {
      if ((await read())?.sid === sid) await removePrivateFile(path);
    },
    locked: (work) => withFileLock(`${path}.lock`, lock, work),
  };
}

function parse(text: string, expected: { issuer: string; clientId: string }): RememberedLogin | undefined {
  try {
    const found = new Map(Object.entries(JSON.parse(text) as object));
    const own = found.get('version') === version && found.get('issuer') === expected.issuer;
    if (!own || found.get('clientId') !== expected.clientId) return undefined;
    const [sid, sub, email, refreshToken] = ['sid', 'sub', 'email', 'refreshToken'].map((key) => found.get(key));
    if (!isText(sid) || !isText(sub) || !isText(email) || !isText(refreshToken)) return undefined;
    const attempt = found.get('attempt');
    return { sid, sub, email, refreshToken, ...(isText(attempt) && { attempt }) };
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 4_096;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
