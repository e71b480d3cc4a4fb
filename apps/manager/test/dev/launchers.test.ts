import { describe, expect, test } from '@jest/globals';
import { findLaunchers } from '../../src/dev/launchers.js';
import type { ProcessEntry } from '../../src/dev/process-table.js';

/** Each one the parent of the one before. */
function table(...commands: string[][]): ProcessEntry[] {
  return commands.map((command, index) => ({ pid: index + 1, parent: index + 2, startedAt: '0', command }));
}

const supervisor = ['/usr/bin/node', '/repo/apps/manager/dist/dev/main.js'];
const launchedBy = (...commands: string[][]) =>
  findLaunchers(1, table(supervisor, ...commands)).map(({ command }) => command.join(' '));

describe('the processes that are watched', () => {
  test('are npx, pnpm and the shells between, and not the shell that called npx', () => {
    const chain = [
      ['sh', '-c', 'turbo run build && node main.js'],
      ['pnpm', 'dev'],
      ['sh', '-c', 'pnpm dev'],
      ['npm exec pnpm@12 dev'],
    ];
    expect(launchedBy(...chain, ['bash', '-c', 'npx -y pnpm@12 dev &'], ['sshd'])).toEqual(
      chain.map((command) => command.join(' ')),
    );
  });

  test('are also the shell that pnpm has beside its script, and no other child', () => {
    const all = table(supervisor, ['sh', '-c', 'x'], ['pnpm', 'dev'], ['bash']);
    const child = (pid: number, ...command: string[]) => ({ pid, parent: 3, startedAt: '0', command });
    all.push(child(8, 'sh', '-c', 'trap'), child(9, 'node', 'update.js'), { ...child(10, 'sh'), parent: 4 });
    expect(findLaunchers(1, all).map(({ pid }) => pid)).toEqual([2, 3, 8]);
  });

  test('are found where node runs the package manager', () => {
    expect(launchedBy(['sh', '-c', 'x'], ['node', '/usr/lib/pnpm/bin/pnpm.cjs', 'dev'], ['-bash'])).toHaveLength(2);
    expect(launchedBy(['/bin/sh', '-c', 'x'], ['node', '--flag', '/usr/bin/npm-cli.js', 'run', 'dev'])).toHaveLength(2);
  });

  test('are none where a program starts us directly, or by a shell of its own', () => {
    expect(launchedBy(['node', '/test/harness.js', 'pnpm'])).toEqual([]);
    expect(launchedBy(['bash', '-c', 'node main.js'], ['python3', 'agent.py'])).toEqual([]);
  });

  test('end at a program that is neither, though a package manager started it', () => {
    expect(launchedBy(['node', 'harness.js'], ['npm test'])).toEqual([]);
  });
});
