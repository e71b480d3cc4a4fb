import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, openPrivateFolder } from './private-file.js';

export interface FileLockOptions {
  /** A lock that is older than this is of a process that died or hangs. */
  readonly staleMs: number;
  /** How long to wait for another process; then the work is not done. */
  readonly patienceMs: number;
}

const spacingMs = 40;

/** Another process holds the lock for longer than we wait. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/** Does the work while no other process of this person does: a file that only one can make (O_EXCL) stands for it. */
export async function withFileLock<T>(path: string, options: FileLockOptions, work: () => Promise<T>): Promise<T> {
  await openPrivateFolder(dirname(path));
  const own = `${hostname()} ${process.pid} ${randomBytes(8).toString('hex')}`;
  const deadline = performance.now() + options.patienceMs;
  while (!(await tryTake(path, own))) {
    const isGone = await removeStale(path, options.staleMs);
    if (performance.now() >= deadline) throw new LockedError(`${path} is held by another process`);
    if (!isGone) await delay(spacingMs + Math.random() * spacingMs);
  }
  try {
    return await work();
  } finally {
    if ((await read(path)) === own) await rm(path, { force: true });
  }
}

async function tryTake(path: string, own: string): Promise<boolean> {
  // Made whole under another name first: nobody ever reads a lock without its holder.
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(own);
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Takes away the lock of a process that is gone, and no other: what turns out to be a newer one is put back. */
async function removeStale(path: string, staleMs: number): Promise<boolean> {
  const [holder, found] = [await read(path), await stat(path).catch(() => undefined)];
  if (holder === undefined || !found) return true;
  if (isAlive(holder) && Date.now() - found.mtimeMs < staleMs) return false;
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch {
    return true;
  }
  if ((await read(aside)) !== holder) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return true;
}

function isAlive(holder: string): boolean {
  const [host, pid] = holder.split(' ');
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
