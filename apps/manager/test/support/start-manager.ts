import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface ManagerProcess {
  readonly process: ChildProcess;
  /** Resolves when it is ready, to where it listens; rejects with its output when it ends before. */
  readonly port: Promise<number>;
  readonly exited: Promise<number | null>;
  /** What it wrote so far. */
  output(): string;
  /** Resolves when it wrote a line with this text after the call. */
  logged(text: string): Promise<void>;
}

/** The Manager as a process of its own: `node dist/main.js`. Whoever starts it ends it. */
export function startManager(env: Readonly<Record<string, string>>): ManagerProcess {
  const child = spawn(process.execPath, [main], {
    env: { AUTHSEC_PORT: '0', ...env, AUTHSEC_LOG_LEVEL: 'info' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const readers = new Set<() => void>();
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const reader of readers) reader();
    });
  }
  const logged = (text: string, from = output.length) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!output.includes(text, from)) return;
        readers.delete(look);
        resolve();
      };
      readers.add(look);
      void exited.then(() => reject(new Error(`it ended: ${output}`)));
      look();
    });
  const port = logged('"msg":"ready"', 0).then(() => Number(/"port":(\d+)[^\n]*"msg":"ready"/.exec(output)?.[1]));
  port.catch(() => {});
  return { process: child, port, exited, output: () => output, logged };
}
