import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findOpenBao } from '../src/find-openbao.js';
import { takePort } from '../src/take-port.js';

const program = findOpenBao();
const required = process.env['AUTHSEC_REQUIRE_OPENBAO'] === '1';
const suite = program || required ? describe : describe.skip;
const docker = join(import.meta.dirname, '../../../docker');

/** What only one service is given each. */
const own = ['keys/postgres', 'keys/openbao', 'keys/proxy'];

let folder: string;
let address: string;
let configuration: string;
let server: ChildProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'authsec-openbao-job-'));
  for (const name of ['secrets', 'certs', 'volumes', 'file', ...own])
    mkdirSync(join(folder, name), { recursive: true });
  const [port, cluster] = [await takePort(0), await takePort(0)];
  address = `https://127.0.0.1:${port}`;
  configuration = join(folder, 'openbao.hcl');
  const settings = readFileSync(join(docker, 'vault/openbao.hcl'), 'utf8')
    .replaceAll('/openbao/file', join(folder, 'file'))
    .replaceAll('/keys/', join(folder, 'keys/'))
    .replaceAll(/(0\.0\.0\.0|openbao):8200/g, `127.0.0.1:${port}`)
    .replaceAll(/(0\.0\.0\.0|openbao):8201/g, `127.0.0.1:${cluster}`);
  writeFileSync(configuration, settings);
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

function environment(): Record<string, string> {
  return {
    PATH: [dirname(program ?? ''), process.env['PATH']].join(delimiter),
    SECRETS: join(folder, 'secrets'),
    CERTS: join(folder, 'certs'),
    KEYS: join(folder, 'keys'),
    VOLUMES: join(folder, 'volumes'),
    HERE: join(docker, 'vault'),
    OWNER: `${process.getuid?.()}:${process.getgid?.()}`,
    BAO_ADDR: address,
    BAO_CACERT: join(folder, 'certs/ca.pem'),
  };
}

const job = (script: string) =>
  execFileSync('sh', [join(docker, script)], {
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
const bao = (...args: string[]) =>
  execFileSync(program!, args, { env: { ...environment(), HOME: folder }, encoding: 'utf8' });

function start(): void {
  server = spawn(program!, ['server', `-config=${configuration}`], { env: environment(), stdio: 'ignore' });
}
async function stop(): Promise<void> {
  if (!server || server.exitCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  await exited;
}

suite('the jobs of docker/compose.yml on a real OpenBao', () => {
  test('secrets and certificates are made once, and are not for everyone to read', () => {
    job('prepare.sh');
    const files = () =>
      ['secrets', ...own].flatMap((path) => readdirSync(join(folder, path)).map((name) => join(path, name)));
    const read = () => files().map((file) => [file, readFileSync(join(folder, file), 'utf8')]);
    const first = read();
    expect(files()).toEqual([
      ...['cookie-keys', 'database-url', 'operator-password', 'sealing-keys'].map((name) => `secrets/${name}`),
      'keys/postgres/password',
      'keys/openbao/tls.pem',
      'keys/openbao/unseal-key',
      'keys/proxy/tls.pem',
    ]);
    for (const file of files()) expect(statSync(join(folder, file)).mode & 0o007).toBe(0);
    expect(readdirSync(join(folder, 'certs'))).toEqual(['ca.pem']);
    job('prepare.sh');
    expect(read()).toEqual(first);
  });

  test('the server is initialised, set up, and leaves no root token behind', () => {
    start();
    expect(job('vault/initialise.sh')).toMatch(/OpenBao is set up\n$/);
    const secret = readFileSync(join(folder, 'secrets/vault-secret-id'), 'utf8');
    const login = bao('write', '-format=json', 'auth/approle/login', 'role_id=authsec-manager', `secret_id=${secret}`);
    const { auth } = JSON.parse(login) as { auth: { policies: string[] } };
    expect(auth.policies).toEqual(['authsec-manager']);
    expect(readFileSync(join(folder, 'keys/openbao/init'), 'utf8')).not.toMatch(/Root Token/);
  });

  test('after a restart it opens by itself, and the job has nothing to do', async () => {
    await stop();
    start();
    expect(job('vault/initialise.sh')).toBe('OpenBao is set up already\n');
    expect(bao('status')).toMatch(/Sealed\s+false/);
  });
});
