// Runs every benchmark beside it, one after the other, each in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);
const names = readdirSync(here)
  .filter((name) => name.endsWith('.js') && name !== 'run.js')
  .sort();

for (const name of names) {
  console.log(`\n── ${name}`);
  const [code] = await once(
    // The MCP client gives one signal to all of its requests, and Node warns of each past the 1,500th.
    spawn(process.execPath, ['--disable-warning=MaxListenersExceededWarning', fileURLToPath(new URL(name, here))], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
    'exit',
  );
  if (code !== 0) process.exitCode = 1;
}
