// What one Manager costs: seconds to ready, memory at rest, and memory for each tenant whose database is open.
// Usage: node benchmarks/open-tenants.js [tenants] [--no-migrate]     after a build
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres } from '@authsec/config/embedded-postgres';

const manager = join(import.meta.dirname, '../apps/manager/dist');
const load = (path) => import(join(manager, path));
const total = Number(process.argv[2] ?? 50);

const postgres = await startPostgres({ password: randomBytes(16).toString('hex'), unsafe: true });
const databaseUrl = new URL(postgres.url);
databaseUrl.pathname = '/authsec';
const env = {
  AUTHSEC_URL: 'https://auth.example.com',
  AUTHSEC_PORT: '0',
  AUTHSEC_DATABASE_URL: databaseUrl.href,
  AUTHSEC_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  AUTHSEC_COOKIE_KEYS: randomBytes(32).toString('hex'),
  AUTHSEC_MAX_OPEN_TENANTS: String(total),
  NODE_ENV: 'production',
  AUTHSEC_MIGRATE_ON_START: process.argv.includes('--no-migrate') ? '0' : '1',
};

try {
  await provision();
  const rows = [];
  for (let run = 0; run < 3; run++) rows.push(await measure());
  const best = rows.toSorted((a, b) => a['seconds to ready'] - b['seconds to ready'])[0];
  process.stdout.write(`${JSON.stringify(best, undefined, 2)}\n`);
} finally {
  await postgres.stop();
}

async function provision() {
  const { loadConfig } = await load('config/load-config.js');
  const { createContainer } = await load('container.js');
  const { migrateMaster } = await load('db/master-client.js');
  const { createLogger } = await load('integrations/logger.js');
  const config = loadConfig(env);
  await migrateMaster(config.masterDatabaseUrl);
  const container = await createContainer(config, { logger: createLogger('silent') });
  for (let n = 0; n < total; n++) {
    await container.tenantsService.provision({ tenantId: `tenant-${n}`, displayName: `Tenant ${n}` });
  }
  await container.close();
}

async function measure() {
  const began = performance.now();
  const child = spawn(process.execPath, [join(manager, 'main.js')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await readyPort(child);
    // As the health check of the image does: it is not ready before, and the first question to a database costs memory.
    await (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
    const seconds = (performance.now() - began) / 1000;
    await delay(5_000);
    const rest = memoryOf(child.pid);
    const opened = {};
    for (let n = 0; n < total; n++) {
      await sign(port, `tenant-${n}`);
      if ([1, 10, 25, 50, 100].includes(n + 1)) opened[n + 1] = memoryOf(child.pid);
    }
    await delay(5_000);
    const all = memoryOf(child.pid);
    return {
      'seconds to ready': Math.round(seconds * 10) / 10,
      'MB at rest': rest,
      'MB by open tenants': opened,
      [`MB with ${total} open, 5 s later`]: all,
      'MB a tenant': Math.round(((all - rest) / total) * 100) / 100,
    };
  } finally {
    const exited = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await exited;
  }
}

/** What a browser and a resource server ask of a tenant: its provider is made, its keys are read. */
async function sign(port, tenant) {
  const headers = { host: 'auth.example.com', 'x-forwarded-proto': 'https' };
  for (const path of ['.well-known/openid-configuration', 'jwks']) {
    const answer = await fetch(`http://127.0.0.1:${port}/t/${tenant}/${path}`, { headers });
    if (answer.status !== 200) throw new Error(`${tenant}: ${path} answered ${answer.status}`);
    await answer.text();
  }
}

function readyPort(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const [, port] = /"port":(\d+)[^\n]*"msg":"ready"/.exec(output) ?? [];
      if (port) resolve(Number(port));
    });
    child.once('exit', () => reject(new Error(`it ended: ${output}`)));
  });
}

function memoryOf(pid) {
  return Math.round(Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)?.[1]) / 1024);
}
