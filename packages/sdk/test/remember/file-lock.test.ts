import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockedError, withFileLock } from '../../src/remember/file-lock.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authsec-lock-'));
  path = join(folder, 'login.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = { staleMs: 60_000, patienceMs: 10_000 };
/** No process has it: the largest that Linux gives is below. */
const deadPid = 2 ** 22 + 1;

describe('a lock', () => {
  test('lets one in at a time, and is gone afterwards', async () => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withFileLock(path, options, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test('is gone where the work failed', async () => {
    await expect(withFileLock(path, options, () => Promise.reject(new Error('the work failed')))).rejects.toThrow(
      'the work failed',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('of a process that lives is waited for, not for ever, and not taken', async () => {
    await writeFile(path, `${hostname()} ${process.ppid} x`, { mode: 0o600 });
    await expect(withFileLock(path, { ...options, patienceMs: 100 }, async () => {})).rejects.toThrow(LockedError);
    expect(await readdir(folder)).toEqual(['login.lock']);
  });

  test('of a process that was killed is taken at once, by one of those who wait', async () => {
    await writeFile(path, `${hostname()} ${deadPid} x`, { mode: 0o600 });
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 6 }, () =>
        withFileLock(path, options, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test('of another machine, or of a process that hangs, is taken when it is old', async () => {
    for (const holder of [`another-host ${deadPid} x`, `${hostname()} ${process.ppid} x`]) {
      await writeFile(path, holder, { mode: 0o600 });
      const refused = withFileLock(path, { ...options, patienceMs: 50 }, async () => {});
      await expect(refused).rejects.toThrow(LockedError);
      const longAgo = new Date(Date.now() - 120_000);
      await utimes(path, longAgo, longAgo);
      expect(await withFileLock(path, options, async () => 'done')).toBe('done');
    }
  });

  test('that was taken over is not removed by the one that held it before', async () => {
    await withFileLock(path, options, async () => {
      await writeFile(path, `${hostname()} ${process.ppid} of-another`);
    });
    expect(await readdir(folder)).toEqual(['login.lock']);
  });

  test('that nobody can read or take is not tried for ever', async () => {
    await mkdir(path);
    await mkdir(`${path}/x`);
    await expect(withFileLock(path, { ...options, patienceMs: 100 }, async () => {})).rejects.toThrow(LockedError);
  });
});
