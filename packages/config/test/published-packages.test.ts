import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const tool = (name: string) => join(root, 'node_modules/.bin', name);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authsec-pack-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(['rbac-core', 'manager-client', 'guarded-fetch', 'sdk'])('@authsec/%s as it is published', (name) => {
  let files: string[];
  let tarball: string;

  beforeAll(async () => {
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: join(root, 'packages', name),
    });
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    files = packed.files.map(({ path }) => path);
    tarball = join(folder, packed.filename);
  });

  test('holds its build, its README, its licence and nothing else', () => {
    expect(files.filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
  });

  test('has entry points and types that every ESM user resolves', async () => {
    const outcome = (error: { stdout: string; stderr: string }) => error.stdout + error.stderr;
    const ok = () => 'ok';
    await expect(run(tool('publint'), ['run', tarball, '--strict']).then(ok, outcome)).resolves.toBe('ok');
    await expect(run(tool('attw'), [tarball, '--profile', 'esm-only']).then(ok, outcome)).resolves.toBe('ok');
  });
});
