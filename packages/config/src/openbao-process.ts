import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface OpenBaoProcess {
  /** Resolves with its last lines, never rejects. */
  readonly ended: Promise<string>;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

const graceMs = 3_000;

/** Tells the server's process id, and kills the server when our end of its standard input closes, whatever ended us. */
const keeper = `exec 3<&0
"$@" </dev/null 3<&- & pid=$!
echo "pid $pid"
( read -r _; kill -9 $pid ) <&3 >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait $pid
kill $watcher`;

export async function runOpenBao(
  program: string,
  args: readonly string[],
  onLog: (line: string) => void,
): Promise<OpenBaoProcess> {
  const child = spawn('sh', ['-c', keeper, 'sh', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // In its own process group, so that a Ctrl-C at the terminal does not reach it.
    detached: process.platform !== 'win32',
  });
  const log: string[] = [];
  const keep = (line: string): void => {
    if (log.push(line) > 20) log.shift();
    onLog(line);
  };
  createInterface({ input: child.stderr }).on('line', keep);
  const told = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, pid] = /^pid (\d+)$/.exec(line) ?? [];
      if (pid === undefined) keep(line);
      else resolve(Number(pid));
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('it ended at once')));
  });
  child.stdin.on('error', () => {});
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).then(
    () => log.join('\n'),
    (error: Error) => error.message,
  );
  const pid = await told;
  // Who waits for nothing else ends, and the server with it.
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as Socket).unref();
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name);
    } catch {
      // Gone already.
    }
  };
  return {
    ended,
    signal,
    async stop() {
      signal('SIGCONT');
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
      child.stdin.end();
    },
  };
}
