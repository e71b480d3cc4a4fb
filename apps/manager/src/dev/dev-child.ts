import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface DevChildOptions {
  readonly name: string;
  /** Absolute path of what node runs. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly onLine: (line: string) => void;
}

export interface DevChild {
  readonly name: string;
  readonly pid: number;
  /** How it ended, as in 'exit code 1' or 'SIGKILL'; never rejects. */
  readonly ended: Promise<string>;
  /** Closes its pipe, and kills it when it has not stopped `graceMs` later. */
  stop(graceMs: number): Promise<void>;
}

/**
 * A process whose standard input stays open as long as we live: its end tells it to stop. In a process group of its own,
 * so that a Ctrl-C at the terminal reaches only the supervisor, which then leads.
 */
export function startDevChild(options: DevChildOptions): DevChild {
  const { name, script, env, logFile, onLine } = options;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const log = createWriteStream(logFile, { flags: 'w', mode: 0o600 }).on('error', () => {});
  const record = (line: string) => {
    log.write(`${line}\n`);
    onLine(line);
  };
  forEachLine(child.stdout, record);
  forEachLine(child.stderr, record);
  child.stdin.on('error', () => {});
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  child.once('close', () => log.end());
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    async stop(graceMs) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined);
      clearTimeout(timer);
    },
  };
}

function forEachLine(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', take);
}
