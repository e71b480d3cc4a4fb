import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: string | Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = join(import.meta.dirname, '../../..');
const folder = join(root, '.github/workflows');
const workflows = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  return { file, text, workflow: parse(text) as Workflow };
});
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

/** Of pnpm itself, not of package.json. */
const pnpmCommands: ReadonlySet<string> = new Set(['install', 'exec', 'deploy']);

describe.each(workflows)('.github/workflows/$file', ({ text, workflow }) => {
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps ?? []);
  const commands = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

  test('runs no action that somebody can change: each is a full commit hash, with its version beside it', () => {
    const used = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line) && !line.includes('uses: ./'));
    expect(used.filter((line) => !/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
    const parsed = [...steps, ...jobs.map(([, job]) => job)].filter(({ uses }) => uses && !uses.startsWith('./'));
    expect(parsed).toHaveLength(used.length);
  });

  test('gives nothing by default, and each job only what it names', () => {
    expect(workflow.permissions).toEqual({});
    expect(jobs.filter(([, { permissions }]) => !permissions).map(([name]) => name)).toEqual([]);
  });

  test('never runs a stranger’s code with our rights', () => {
    const events = typeof workflow.on === 'string' ? [workflow.on] : Object.keys(workflow.on);
    expect(events).not.toContain('pull_request_target');
    expect(events).not.toContain('workflow_run');
  });

  test('puts nothing that somebody else wrote, and no secret, into a shell’s text', () => {
    expect(commands.filter((command) => command.includes('${{'))).toEqual([]);
    expect(text).not.toContain('secrets.');
  });

  test('leaves no token in the checkout', () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([]);
  });

  test('ends, and says what may run beside it', () => {
    expect(jobs.filter(([, job]) => !job.uses && !job['timeout-minutes']).map(([name]) => name)).toEqual([]);
    expect(workflow.concurrency).toBeDefined();
  });

  test('calls only scripts and files that are there', () => {
    const called = commands.flatMap((command) => [...command.matchAll(/pnpm@[\d.]+ (?:run )?([\w:-]+)/g)]);
    const missing = called.map(([, name = '']) => name).filter((name) => !pnpmCommands.has(name) && !scripts[name]);
    expect(missing).toEqual([]);
    const files = commands.flatMap((command) => [
      ...command.matchAll(/(?:^|\s)((?:\.ci|docker|apps|packages|prisma)\/[\w./-]+)(?=\s|$)/g),
    ]);
    const paths = files.map(([, path = '']) => path).filter((path) => !path.endsWith('CHANGELOG.md'));
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const local = jobs.flatMap(([, { uses }]) => (uses?.startsWith('./') ? [uses] : []));
    expect(local.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

test('only the release may write, and only one job of it can publish', () => {
  const writing = workflows.flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).flatMap(([name, { permissions = {} }]) =>
      Object.entries(permissions)
        .filter(([, access]) => access === 'write')
        .map(([right]) => `${file} ${name} ${right}`),
    ),
  );
  expect(writing.sort()).toEqual([
    'codeql.yml analyze security-events',
    'release.yml announce contents',
    'release.yml publish id-token',
    'release.yml version contents',
    'release.yml version pull-requests',
  ]);
});
