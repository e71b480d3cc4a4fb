import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveDevCredentials } from '../../src/dev/dev-credentials.js';
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
