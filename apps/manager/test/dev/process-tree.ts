import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, readProcess, type ProcessEntry } from '../../src/dev/process-table.js';

/** A process and all that it started, also what moved to a group or session of its own. */
export function readTree(root: number): readonly ProcessEntry[] {
  const all = listProcesses();
  const found = all.filter(({ pid }) => pid === root);
  for (const entry of found) found.push(...all.filter(({ parent }) => parent === entry.pid));
  return found;
}

export function findByCommand(tree: readonly ProcessEntry[], pattern: RegExp): ProcessEntry {
  const entry = tree.find(({ command }) => pattern.test(command.join(' ')));
  if (!entry) throw new Error(`no ${pattern} among\n${tree.map(({ command }) => command.join(' ')).join('\n')}`);
  return entry;
}

/** What of it still runs when all should have ended, or when the patience is over. */
export async function waitForEnd(tree: readonly ProcessEntry[], patienceMs = 20_000): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const left = tree.filter(({ pid, startedAt }) => readProcess(pid)?.startedAt === startedAt);
    if (left.length === 0 || performance.now() > deadline) return left.map(({ command }) => command.join(' '));
    await delay(50);
  }
}
