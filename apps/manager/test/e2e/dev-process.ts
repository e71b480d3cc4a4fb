import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import type { DevFile } from '../../src/dev/dev-file.js';

const supervisor = fileURLToPath(new URL('../../dist/dev/main.js', import.meta.url));

export interface DevProcess {
  readonly pid: number;
  readonly directory: string;
  /** What it printed so far, on both streams. */
  output(): string;
  /** dev.json, as soon as it is there; rejects with the output when the process ends before. */
  ready(): Promise<DevFile>;
  readonly ended: Promise<{ code: number | null }>;
  interrupt(): Promise<number | null>;
}

export interface DevProcessOptions {
  readonly directory: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What starts it, before `node dist/dev/main.js`. */
  readonly launcher?: readonly string[];
}

export function makeStateDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'authsec-e2e-'));
}

export async function removeStateDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** The real supervisor, on ports that the system gives, with a state directory of its own. */
export function startDevProcess({ directory, args = [], env = {}, launcher = [] }: DevProcessOptions): DevProcess {
  const [command = '', ...rest] = [...launcher, process.execPath, supervisor, ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      AUTHSEC_DEV_DIRECTORY: directory,
      AUTHSEC_MANAGER_PORT: '0',
      AUTHSEC_DEMO_PORT: '0',
      AUTHSEC_IDENTITY_PROVIDER_PORT: '0',
      AUTHSEC_VAULT_PORT: '0',
      VAULT_ADDR: '',
      ...env,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  let over = false;
  const ended = once(child, 'close').then(([code]) => {
    over = true;
    return { code: code as number | null };
  });
  return {
    pid: child.pid ?? 0,
    directory,
    output: () => text,
    ended,
    async ready() {
      while (!over) {
        const file = await readFile(join(directory, 'dev.json'), 'utf8').catch(() => undefined);
        if (file && text.includes('Ready.')) return JSON.parse(file) as DevFile;
        await delay(50);
      }
      throw new Error(`the development stack ended:\n${text}`);
    },
    async interrupt() {
      child.kill('SIGINT');
      return (await ended).code;
    },
  };
}
