import { basename } from 'node:path';
import { readProcess, type ProcessEntry } from './process-table.js';

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'fish', 'busybox']);
const packageManagers = new Set(['npm', 'npx', 'pnpm', 'pnpx', 'yarn', 'bun', 'corepack']);

export interface AncestorWatchOptions {
  readonly read?: (pid: number) => ProcessEntry | undefined;
  readonly intervalMs?: number;
}

/**
 * Calls `onGone` once when one of the processes through which `pnpm dev` was started has ended: npx, pnpm and the
 * shells that they put between. The caller's own shell above them is not watched: it may well end before us.
 */
export function watchAncestors(onGone: (name: string) => void, options: AncestorWatchOptions = {}): () => void {
  const { read = readProcess, intervalMs = process.platform === 'linux' ? 400 : 1_000 } = options;
  const links = findLaunchers(process.pid, read);
  if (links.length === 0) return () => {};
  const timer = setInterval(() => {
    const broken = links.find(({ child, parent }) => read(child)?.parent !== parent.pid);
    if (!broken) return;
    clearInterval(timer);
    onGone(nameOf(broken.parent));
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

interface Link {
  readonly child: number;
  readonly parent: ProcessEntry;
}

/** From the process itself up to the topmost package manager that is reached through shells and package managers only. */
export function findLaunchers(pid: number, read: (pid: number) => ProcessEntry | undefined): readonly Link[] {
  const links: Link[] = [];
  let launchers = 0;
  let child = read(pid);
  while (child) {
    const parent = read(child.parent);
    if (!parent || !(isPackageManager(parent) || shells.has(nameOf(parent)))) break;
    links.push({ child: child.pid, parent });
    if (isPackageManager(parent)) launchers = links.length;
    child = parent;
  }
  return links.slice(0, launchers);
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
