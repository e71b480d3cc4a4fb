import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireInstanceLock } from '../../src/dev/instance-lock.js';
import { readProcess } from '../../src/dev/process-table.js';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'authsec-state-')), 'state');
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

describe('the lock', () => {
  test('is refused while the process that holds it runs, and named', async () => {
    const path = join(directory, 'lock');
    await (await acquireInstanceLock(path)).release();
    const startedAt = readProcess(process.ppid)?.startedAt;
    await writeFile(path, JSON.stringify({ pid: process.ppid, startedAt }));
    await expect(acquireInstanceLock(path)).rejects.toThrow(`already running here (process ${process.ppid})`);
  });

  test('is taken over where another process has got the number since', async () => {
    const path = join(directory, 'lock');
    await (await acquireInstanceLock(path)).release();
    await writeFile(path, JSON.stringify({ pid: process.ppid, startedAt: '1' }));
    expect((await acquireInstanceLock(path)).abandoned).toBe(true);
  });

  test('is taken over from a process that is gone', async () => {
    const path = join(directory, 'lock');
    await (await acquireInstanceLock(path)).release();
    await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1' }));
    const lock = await acquireInstanceLock(path);
    expect(lock.abandoned).toBe(true);
    await lock.release();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });
});
