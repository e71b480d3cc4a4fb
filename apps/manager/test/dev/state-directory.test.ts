import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveDevCredentials } from '../../src/dev/dev-credentials.js';
import { readDevSettings } from '../../src/dev/dev-settings.js';
import { acquireInstanceLock } from '../../src/dev/instance-lock.js';
import { claimPort } from '../../src/dev/ports.js';
import { readProcess } from '../../src/dev/process-table.js';
import { openStateDirectory, resetStateDirectory, writePrivateFile } from '../../src/dev/state-directory.js';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'authsec-state-')), 'state');
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

describe('the state directory', () => {
  test('is its owner’s alone, and so is every file in it', async () => {
    const state = await openStateDirectory(directory);
    await writePrivateFile(state.devFile, '{}');
    for (const [path, mode] of [
      [state.path, 0o700],
      [state.logs, 0o700],
      [join(state.path, 'secret'), 0o600],
      [state.devFile, 0o600],
    ] as const) {
      expect((await stat(path)).mode & 0o777).toBe(mode);
    }
  });

  test('gives the same passwords and secrets at each start, and others after a reset', async () => {
    const read = async () => {
      const credentials = deriveDevCredentials(await openStateDirectory(directory));
      return [credentials.password('a@b.example'), credentials.client('acme', 'demo-mcp').clientSecret];
    };
    const first = await read();
    expect(await read()).toEqual(first);
    await resetStateDirectory(directory);
    const second = await read();
    expect(second[0]).not.toBe(first[0]);
    expect(second[1]).not.toBe(first[1]);
  });

  test('gives each person and each tenant’s application a secret of their own', async () => {
    const credentials = deriveDevCredentials(await openStateDirectory(directory));
    expect(credentials.password('a@b.example')).toMatch(/^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/);
    expect(credentials.password('a@b.example')).not.toBe(credentials.password('c@b.example'));
    expect(credentials.client('acme', 'demo-mcp')).not.toEqual(credentials.client('globex', 'demo-mcp'));
  });
});

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

describe('ports', () => {
  test('one that is taken is named together with its setting', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const claim = claimPort({ port, setting: 'AUTHSEC_DEMO_PORT', owner: 'the demo', patienceMs: 0 });
    await expect(claim).rejects.toThrow(new RegExp(`Port ${port} .*already taken.*AUTHSEC_DEMO_PORT=`));
    await new Promise((resolve) => server.close(resolve));
  });

  test('0 takes a free one', async () => {
    const port = await claimPort({ port: 0, setting: 'X', owner: 'x', patienceMs: 0 });
    expect(port).toBeGreaterThan(1024);
  });
});

describe('settings', () => {
  test('name the one that is wrong', () => {
    expect(() => readDevSettings([], { AUTHSEC_MANAGER_PORT: 'abc' })).toThrow(/AUTHSEC_MANAGER_PORT/);
    expect(() => readDevSettings(['--rest'], {})).toThrow(/--rest/);
    expect(() => readDevSettings([], { AUTHSEC_MANAGER_PORT: '5000', AUTHSEC_DEMO_PORT: '5000' })).toThrow(
      /must differ/,
    );
  });

  test('take --reset with and without the -- of a package manager', () => {
    expect(readDevSettings(['--reset'], {}).reset).toBe(true);
    expect(readDevSettings(['--', '--reset'], {}).reset).toBe(true);
    expect(readDevSettings([], {})).toMatchObject({ reset: false, managerPort: 4700, demoPort: 4701 });
  });
});
