import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Differs between two processes that had the same pid one after the other. */
  readonly startedAt: string;
  readonly command: readonly string[];
}

/** Undefined where it is not running (a zombie counts as ended), or where this platform does not tell. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    return process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid);
  } catch {
    return undefined;
  }
}

function readFromProc(pid: number): ProcessEntry | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  return { pid, parent: Number(parent), startedAt: rest[17] ?? '', command };
}

function readFromPs(pid: number): ProcessEntry | undefined {
  const line = execFileSync('ps', ['-o', 'stat=,ppid=,lstart=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const match = /^\s*(\S+)\s+(\d+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/m.exec(line);
  if (!match || match[1]?.startsWith('Z')) return undefined;
  return { pid, parent: Number(match[2]), startedAt: match[3] ?? '', command: (match[4] ?? '').split(' ') };
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform !== 'linux' || readProcess(pid) !== undefined;
}

export function listProcesses(): readonly ProcessEntry[] {
  return listPids().flatMap((pid) => readProcess(pid) ?? []);
}

function listPids(): readonly number[] {
  try {
    if (process.platform === 'linux') return readdirSync('/proc').map(Number).filter(Number.isInteger);
    return execFileSync('ps', ['-axo', 'pid='], { encoding: 'utf8' }).split('\n').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}
