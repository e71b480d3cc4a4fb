import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const tool = (name: string) => join(root, 'node_modules/.bin', name);
const readManifest = (folder: string) =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;

const workspace = ['packages', 'apps']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`))
  .concat('.', 'prisma')
  .filter((path) => existsSync(join(root, path, 'package.json')));
const published = workspace.filter((path) => !readManifest(path).private);

test('these are published, together and under one version; everything else is private', () => {
  const { fixed } = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8')) as { fixed: string[][] };
  const names = published.map((path) => readManifest(path).name).sort();
  expect(names).toEqual(['@authsec/guarded-fetch', '@authsec/manager-client', '@authsec/rbac-core', '@authsec/sdk']);
  expect(fixed.map((group) => group.toSorted())).toEqual([names]);
  expect(new Set(published.map((path) => readManifest(path).version)).size).toBe(1);
});

describe.each(published)('%s as it is published', (path) => {
  const manifest = readManifest(path);
  let folder: string;
  let files: string[];
  let tarball: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authsec-pack-'));
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: join(root, path),
    });
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    files = packed.files.map((file) => file.path);
    tarball = join(folder, packed.filename);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('holds its build, its README, its licence and nothing else', () => {
    expect(files.filter((file) => !/^dist\/.+\.(js|d\.ts)$/.test(file)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
  });

  test('points at nothing that is not in it, and has nothing of an older build', async () => {
    const texts = await Promise.all(
      files.filter((file) => file !== 'LICENSE').map((file) => readFile(join(root, path, file), 'utf8')),
    );
    expect(texts.filter((text) => text.includes('sourceMappingURL='))).toEqual([]);
    const built = files.filter((file) => file.startsWith('dist/'));
    const sources = built.map((file) => file.replace(/^dist\/(.+?)(\.d)?\.[jt]s$/, 'src/$1.ts'));
    expect(sources.filter((source) => !existsSync(join(root, path, source)))).toEqual([]);
  });

  test('says what it is, under which licence, for whom, and that its origin can be proved', () => {
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      files: ['dist'],
      publishConfig: { access: 'public', provenance: true },
    });
    expect(manifest.description).toMatch(/\w{3}/);
    expect(manifest.keywords?.length).toBeGreaterThan(3);
    for (const entry of Object.values(manifest.exports ?? {})) {
      expect(Object.keys(entry)).toEqual(['types', 'default']);
    }
  });

  test('has entry points and types that every ESM user resolves', async () => {
    const outcome = (error: { stdout: string; stderr: string }) => error.stdout + error.stderr;
    const ok = () => 'ok';
    await expect(run(tool('publint'), ['run', tarball, '--strict']).then(ok, outcome)).resolves.toBe('ok');
    await expect(run(tool('attw'), [tarball, '--profile', 'esm-only']).then(ok, outcome)).resolves.toBe('ok');
  });
});
