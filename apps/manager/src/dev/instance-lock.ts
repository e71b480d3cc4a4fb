import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DevError } from './dev-error.js';
import { isRunning, readProcess } from './process-table.js';

export interface InstanceLock {
  /** The instance before this one ended without giving it back: what it started may still be stopping. */
  readonly abandoned: boolean;
  release(): Promise<void>;
}

/** One `pnpm dev` a state directory; a lock whose process is gone is taken over. DevError where another one runs. */
export async function acquireInstanceLock(path: string): Promise<InstanceLock> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const mine = JSON.stringify({ pid: process.pid, startedAt: readProcess(process.pid)?.startedAt ?? '' });
  let abandoned = false;
  while (!(await create(path, mine))) {
    const holder = await readHolder(path);
    if (holder && isHeld(holder)) {
      throw new DevError(
        `pnpm dev is already running here (process ${holder.pid}). Stop it with Ctrl-C in its terminal, or: kill ${holder.pid}`,
      );
    }
    abandoned = true;
    await rm(path, { force: true });
  }
  return {
    abandoned,
    async release() {
      if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true });
    },
  };
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

/** By a link to a complete draft: whoever reads the lock never finds half of it. */
async function create(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder>;
    return typeof value.pid === 'number' ? { pid: value.pid, startedAt: String(value.startedAt) } : undefined;
  } catch {
    return undefined;
  }
}

function isHeld({ pid, startedAt }: Holder): boolean {
  if (pid === process.pid || !isRunning(pid)) return false;
  const entry = readProcess(pid);
  return !entry || entry.startedAt === startedAt;
}
