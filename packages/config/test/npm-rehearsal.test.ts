import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { consumerFiles, pointAtTestManager } from './npm-rehearsal/consumer.js';
import { installedSize } from './npm-rehearsal/installed-size.js';
import { type LocalRegistry, startLocalRegistry } from './npm-rehearsal/local-registry.js';

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** `packages/sdk/size-budget.json`: upper bounds, and exactly the packages that come along. */
interface SizeBudget {
  readonly packedBytes: number;
  readonly installedBytes: number;
  readonly installedFiles: number;
  readonly installedPackages: readonly string[];
}

interface Release {
  readonly jobs: {
    readonly publish: { readonly steps: readonly { readonly run?: string; readonly env?: NodeJS.ProcessEnv }[] };
  };
}

const root = join(import.meta.dirname, '../../..');
const manifestOf = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;

const registryAnswers = () =>
  promisify(execFile)('npm', ['view', '@modelcontextprotocol/sdk', 'version']).then(
    () => true,
    () => false,
  );
// A machine without a network skips this and says so; continuous integration fails.
const rehearsal = process.env['CI'] || (await registryAnswers()) ? describe : describe.skip;

/** Other programs may have the machine to themselves for a while. */
const patienceMs = 300_000;

let folder: string;
let registry: LocalRegistry;
let sdk: Manifest;

/** A command as a stranger's shell runs it; resolves to what it printed. */
async function run(cwd: string, command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const env = { ...registry.env, ...more };
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 24 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

async function emptyFolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  return path;
}

rehearsal('@authsec/sdk from a registry', () => {
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'authsec-npm-')));
    registry = await startLocalRegistry(folder);
    sdk = await manifestOf(join(root, 'packages/sdk'));
    await run(root, 'npx', ['-y', '-p', 'pnpm@12', 'changeset', 'publish', '--no-git-tag']);
  }, patienceMs);
  afterAll(async () => {
    await registry?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test(
    'compiles with the README’s example under strict, runs, and lets a protected tool be called by whom it is for',
    async () => {
      const { devDependencies: ours } = await manifestOf(root);
      const consumer = await emptyFolder('consumer');
      await run(consumer, 'npm', [
        'install',
        '@authsec/sdk',
        `@modelcontextprotocol/sdk@${sdk.devDependencies['@modelcontextprotocol/sdk']}`,
        `typescript@${ours['typescript']}`,
        `@types/node@${ours['@types/node']}`,
      ]);

      const readme = await readFile(join(root, 'README.md'), 'utf8');
      const example = /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';
      const files = { ...consumerFiles, 'readme.ts': example, 'server.ts': pointAtTestManager(example) };
      await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(consumer, name), text)));
      await run(consumer, process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);

      const printed = await run(consumer, process.execPath, ['built/main.js']);
      expect(JSON.parse(printed)).toEqual({ content: [{ type: 'text', text: 'revenue is up' }] });
    },
    patienceMs,
  );

  test(
    'is published with proof of its origin or not at all: here, where there is none, as the release does it fails',
    async () => {
      const release = parse(await readFile(join(root, '.github/workflows/release.yml'), 'utf8')) as Release;
      const env = release.jobs.publish.steps.find(({ run }) => run?.includes('run release'))?.env ?? {};
      const unproven = await emptyFolder('unproven');
      await writeFile(join(unproven, 'package.json'), JSON.stringify({ name: '@authsec/unproven', version: '1.0.0' }));
      const publish = () => run(unproven, 'npx', ['-y', 'pnpm@12', 'publish', '--no-git-checks'], env);
      await expect(publish()).rejects.toThrow(/PROVENANCE_UNSUPPORTED_PROVIDER|ID_TOKEN_GITHUB_WORKFLOW/);
    },
    patienceMs,
  );

  test(
    'brings an application no more than its budget says',
    async () => {
      const application = await emptyFolder('application');
      await run(application, 'npm', ['install', '@authsec/sdk']);
      const { bytes, files, packages } = await installedSize(join(application, 'node_modules'));
      const [packed] = JSON.parse(await run(application, 'npm', ['pack', '@authsec/sdk', '--json', '--dry-run'])) as [
        { size: number },
      ];

      const budget = JSON.parse(await readFile(join(root, 'packages/sdk/size-budget.json'), 'utf8')) as SizeBudget;
      const measured = { packedBytes: packed.size, installedBytes: bytes, installedFiles: files };
      const over = Object.entries(measured).filter(([name, value]) => value > budget[name as keyof typeof measured]);
      const asked = over.map(([name, value]) => `${name}: ${value}, over ${budget[name as keyof typeof measured]}`);
      expect(asked).toEqual([]);
      expect(packages).toEqual(budget.installedPackages);
    },
    patienceMs,
  );
});
