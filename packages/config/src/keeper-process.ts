import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PostgresUser } from './postgres-user.js';

export interface KeeperInput {
  readonly task: 'initialise' | 'serve';
  readonly directory: string;
  readonly password: string;
  readonly port: number;
  /** Of initdb, or settings of the server. */
  readonly flags: readonly string[];
  readonly announcement?: string | undefined;
}
/** `pid`: the server's; 0 when a cluster was made. */
export type KeeperReport = { readonly pid: number } | { readonly error: string };

export interface KeeperProcess {
  /** Never rejects. */
  readonly reported: Promise<KeeperReport>;
  readonly ended: Promise<void>;
  /** Closes its pipe, and kills it if it has not ended in time. */
  stop(): void;
}

const graceMs = 10_000;
const script = fileURLToPath(new URL('../dist/postgres-keeper.js', import.meta.url));

/** In its own process group, so that a Ctrl-C at the terminal does not reach it. */
export function startKeeper(
  input: KeeperInput,
  user: PostgresUser | undefined,
  onLog: (line: string) => void,
): KeeperProcess {
  const command = [...(user?.prefix ?? []), process.execPath];
  const child = spawn(command[0] ?? process.execPath, [...command.slice(1), script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    ...(user?.prefix.length === 0 && { uid: user.uid, gid: user.gid }),
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (log.push(line) > 50) log.shift();
    onLog(line);
  });
  const reported = new Promise<KeeperReport>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const report = JSON.parse(line) as KeeperReport;
      if ('pid' in report) resolve(report);
    });
    child.once('error', (error) => resolve({ error: error.message }));
    child.once('close', (code) => resolve({ error: reasonOf(log) || `its keeper ended with code ${code}` }));
  });
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).then(
    () => {},
    () => {},
  );
  child.stdin.on('error', () => {}).write(`${JSON.stringify(input)}\n`);
  return {
    reported,
    ended,
    stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      void ended.then(() => clearTimeout(timer));
    },
  };
}

function reasonOf(log: readonly string[]): string {
  const reasons = log.filter((line) => /FATAL|PANIC|could not|error:/i.test(line));
  return reasons.map((line) => line.trim()).join(' ');
}
