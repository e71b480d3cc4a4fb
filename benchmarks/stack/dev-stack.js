import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const supervisor = fileURLToPath(new URL('../../apps/manager/dist/dev/main.js', import.meta.url));

/** A development stack of its own: `work` gets dev.json and the state directory, and all of it is gone after. */
export async function withDevStack(work, { args = [], env = {} } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'authsec-bench-'));
  const ports = ['MANAGER', 'DEMO', 'IDENTITY_PROVIDER'].map((name) => [`AUTHSEC_${name}_PORT`, '0']);
  const stack = spawn(process.execPath, [supervisor, ...args], {
    env: { ...process.env, AUTHSEC_DEV_DIRECTORY: directory, ...Object.fromEntries(ports), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const file = join(directory, 'dev.json');
    while (!existsSync(file)) {
      if (stack.exitCode !== null) throw new Error('the development stack ended');
      await delay(100);
    }
    return await work(JSON.parse(readFileSync(file, 'utf8')), directory);
  } finally {
    if (stack.exitCode === null && stack.signalCode === null) {
      stack.kill('SIGINT');
      await once(stack, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  }
}
