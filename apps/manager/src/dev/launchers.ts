import { basename } from 'node:path';
import { listProcesses, readProcess, type ProcessEntry } from './process-table.js';

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'fish', 'busybox']);
const intervalMs = process.platform === 'linux' ? 400 : 1_000;
const packageManagers = new Set(['npm', 'npx', 'pnpm', 'pnpx', 'yarn', 'bun', 'corepack']);

/**
 * Calls `onGone` once when one of the processes through which `pnpm dev` was started has ended: npx, pnpm and the
 * shells that they put between or beside. The caller's own shell above them is not watched: it may well end before us.
 */
export function watchLaunchers(onGone: (name: string) => void): () => void {
  const launchers = findLaunchers(process.pid, listProcesses());
  if (launchers.length === 0) return () => {};
  const timer = setInterval(() => {
    const gone = launchers.find(({ pid, startedAt }) => readProcess(pid)?.startedAt !== startedAt);
    if (!gone) return;
    clearInterval(timer);
    onGone(nameOf(gone));
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * From the process up to the topmost package manager that is reached through shells and package managers only, with the
 * shells beside: pnpm has one that ends its scripts when pnpm was killed.
 */
export function findLaunchers(pid: number, all: readonly ProcessEntry[]): readonly ProcessEntry[] {
  const byPid = new Map(all.map((entry) => [entry.pid, entry]));
  const above: ProcessEntry[] = [];
  let launchers = 0;
  let next = byPid.get(byPid.get(pid)?.parent ?? 0);
  while (next && (isPackageManager(next) || isShell(next))) {
    above.push(next);
    if (isPackageManager(next)) launchers = above.length;
    next = byPid.get(next.parent);
  }
  const found = above.slice(0, launchers);
  const managers = new Set(found.filter(isPackageManager).map((entry) => entry.pid));
  const beside = all.filter((entry) => managers.has(entry.parent) && isShell(entry) && !found.includes(entry));
  return [...found, ...beside];
}

function isShell(entry: ProcessEntry): boolean {
  return shells.has(nameOf(entry));
}

function isPackageManager(entry: ProcessEntry): boolean {
  return packageManagers.has(nameOf(entry));
}

/** `npm` for `npm`, for `node /usr/bin/npm-cli.js`, and for the title `npm exec pnpm dev` that npm gives itself. */
function nameOf({ command }: ProcessEntry): string {
  const [program = '', ...args] = command.flatMap((part, index) => (index === 0 ? part.split(' ') : [part]));
  const name = bareName(program);
  const script = args.find((arg) => !arg.startsWith('-'));
  return name === 'node' && script ? bareName(script) : name;
}

function bareName(path: string): string {
  return basename(path)
    .replace(/^-/, '')
    .replace(/\.[cm]?js$/, '')
    .replace(/-cli$/, '');
}
