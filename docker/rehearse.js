// Runs the steps of a Dockerfile of this folder without a container engine: each stage is a folder, `COPY . .` is what
// git tracks and .dockerignore does not name, RUN lines run as they are written, and the result is started as the image's
// user on a read-only tree.
// Usage: node docker/rehearse.js <manager|demo-mcp>... [--keep <folder>]
// Prints one line of JSON an image with what was measured; ends with 1 where an image is not what it must be.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { takePort } from '@authsec/config/take-port';
import { assignments, lastOf, readDockerfile } from './dockerfile.js';

const root = resolve(import.meta.dirname, '..');
const images = {
  manager: { prepare: prepareManager, mostMegabytes: 60 },
  'demo-mcp': { prepare: prepareDemo, mostMegabytes: 25 },
};
const { positionals, values } = parseArgs({ allowPositionals: true, options: { keep: { type: 'string' } } });
if (positionals.length === 0 || positionals.some((name) => !Object.hasOwn(images, name))) {
  throw new TypeError('usage: node docker/rehearse.js <manager|demo-mcp>... [--keep <folder>]');
}
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const say = (line) => process.stderr.write(`${line}\n`);
let folder = '';

for (const image of positionals) {
  folder = values.keep ? join(resolve(values.keep), image) : mkdtempSync(join(tmpdir(), `authsec-image-${image}-`));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  try {
    const measured = await rehearse(image);
    process.stdout.write(`${JSON.stringify(measured)}\n`);
    assertImage(measured);
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  }
}

async function rehearse(image) {
  const stages = readDockerfile(join(root, 'docker', `${image}.Dockerfile`));
  const began = performance.now();
  for (const stage of stages) build(stage);
  const buildSeconds = secondsSince(began);
  const last = stages.at(-1);
  const tree = join(folder, last.name ?? 'image');
  const app = join(tree, lastOf(last, 'WORKDIR').text);
  const missing = ['LICENSE', 'sbom.cdx.json'].filter((name) => !existsSync(join(app, name)));
  return {
    image,
    buildSeconds,
    megabytes: megabytesIn(app),
    missing,
    ...(await run(last, app, images[image].prepare)),
  };
}

function assertImage({ image, megabytes, user, exitCode, written, missing }) {
  const wrong = [
    megabytes > images[image].mostMegabytes && `${megabytes} MB, more than ${images[image].mostMegabytes}`,
    process.getuid() === 0 && user !== '65532' && `it ran as user ${user}`,
    exitCode !== 0 && `SIGTERM ended it with ${exitCode}`,
    written.length > 0 && `it wrote ${written.join(', ')}`,
    ...missing.map((name) => `${name} is not in it`),
  ].filter(Boolean);
  if (wrong.length > 0) throw new Error(`${image}: ${wrong.join('; ')}`);
}

function build(stage) {
  const tree = join(folder, stage.name ?? 'image');
  mkdirSync(tree, { recursive: true });
  let workdir = '/';
  const env = {};
  for (const instruction of stage.instructions) {
    const { keyword, text } = instruction;
    if (keyword === 'WORKDIR') mkdirSync(join(tree, (workdir = text)), { recursive: true });
    if (keyword === 'ENV') Object.assign(env, assignments([instruction]));
    if (keyword === 'COPY') copy(instruction, tree, workdir);
    if (keyword === 'RUN') {
      if (/(^|\s)\/(?!dev\/null)/.test(text)) throw new Error(`RUN names an absolute path: ${text}`);
      say(`── ${text}`);
      execFileSync('sh', ['-euc', text], {
        cwd: join(tree, workdir),
        env: { ...inherited(), ...env },
        stdio: ['ignore', 2, 2],
      });
    }
  }
}

function copy({ words: [source, target], flags }, tree, workdir) {
  const to = resolve(join(tree, workdir), target.startsWith('/') ? join(tree, target) : target);
  if (flags.from) {
    cpSync(join(folder, flags.from, source), to, { recursive: true, verbatimSymlinks: true });
    return;
  }
  if (source !== '.') throw new Error('only `COPY . .` of the context is rehearsed');
  const archive = execFileSync('git', ['archive', 'HEAD', '--', '.', ...ignored()], { cwd: root, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', to], { input: archive });
}

/** What .dockerignore keeps out of the context, as git leaves it out. */
function ignored() {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return patterns.flatMap((pattern) => [`:(exclude,glob)${pattern}`, `:(exclude,glob)${pattern}/**`]);
}

/** Starts what the image starts, until its own health check says that it is well. */
async function run(stage, app, prepare) {
  const defaults = assignments(stage.instructions.filter(({ keyword }) => keyword === 'ENV'));
  const before = listOf(app);
  const { env, stop, commands = [] } = await prepare(await takePort(0));
  const environment = { ...defaults, PATH: '/nonexistent', HOME: '/nonexistent', ...env };
  const command = [...lastOf(stage, 'ENTRYPOINT').list, ...(lastOf(stage, 'CMD')?.list ?? [])];
  const began = performance.now();
  const child = start(stage, app, command, environment);
  try {
    await untilHealthy(child, () => start(stage, app, lastOf(stage, 'HEALTHCHECK').list, environment));
    const startSeconds = secondsSince(began);
    const user = readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/^Uid:\s+(\d+)/m)?.[1];
    const restMegabytes = residentMegabytes(child.pid);
    for (const args of commands) {
      const ended = start(stage, app, [...lastOf(stage, 'ENTRYPOINT').list, ...args], environment);
      const code = await new Promise((done) => ended.once('exit', done));
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${ended.output}`);
    }
    const stopped = new Promise((done) => child.once('exit', (code) => done(code)));
    child.kill('SIGTERM');
    const exitCode = await stopped;
    const written = listOf(app).filter((path) => !before.includes(path));
    return { startSeconds, restMegabytes, user, exitCode, written };
  } finally {
    child.kill('SIGKILL');
    await stop?.();
  }
}

/** As the image's user, with no privilege to gain and, where the kernel lets us, the tree mounted read-only. */
function start(stage, app, [program, ...args], env) {
  const node = [program === '/nodejs/bin/node' ? process.execPath : program, ...args];
  const [uid, gid = uid] = lastOf(stage, 'USER').text.split(':');
  const asUser = [
    programOf('setpriv'),
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--no-new-privs',
    ...node,
  ];
  const [command, ...rest] = process.getuid() === 0 ? [...readOnly(app), ...asUser] : node;
  const child = spawn(command, rest, { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (child.output += chunk));
  return child;
}

function readOnly(app) {
  const script = `PATH=${systemPath}; mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"`;
  const prefix = [programOf('unshare'), '--mount', '/bin/sh', '-c', script, app];
  try {
    execFileSync(prefix[0], [...prefix.slice(1), '/bin/true'], { stdio: 'ignore' });
    return prefix;
  } catch {
    say('── the tree cannot be mounted read-only here: the user alone keeps it from being written');
    return [];
  }
}

function programOf(name) {
  const path = systemPath.split(':').map((folder) => join(folder, name));
  const found = path.find((candidate) => existsSync(candidate));
  if (!found) throw new Error(`${name} is not installed`);
  return found;
}

async function untilHealthy(child, check) {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${child.output.slice(-2_000)}`);
    const asked = check();
    const code = await new Promise((done) => asked.once('exit', done));
    if (code === 0) return;
  }
  throw new Error(`it was not healthy within 60 s: ${child.output.slice(-2_000)}`);
}

async function prepareManager(port) {
  const { startPostgres } = await import('@authsec/config/embedded-postgres');
  const postgres = await startPostgres({ password: randomBytes(16).toString('hex'), unsafe: true });
  const databaseUrl = new URL(postgres.url);
  databaseUrl.pathname = '/authsec';
  const env = {
    AUTHSEC_URL: 'https://auth.example.com',
    AUTHSEC_PORT: String(port),
    AUTHSEC_DATABASE_URL: databaseUrl.href,
    AUTHSEC_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AUTHSEC_COOKIE_KEYS: randomBytes(32).toString('hex'),
    AUTHSEC_BOOTSTRAP_EMAIL: 'operator@example.com',
    AUTHSEC_BOOTSTRAP_PASSWORD: randomBytes(16).toString('hex'),
    AUTHSEC_TRUSTED_PROXIES: '127.0.0.1',
  };
  return {
    env,
    stop: () => postgres.stop(),
    commands: [['bootstrap'], ['migrate'], ['keys', 'rotate', '--all'], ['doctor']],
  };
}

async function prepareDemo(port) {
  const endpoints = [
    { tenant: 'demo', issuer: 'https://auth.example.com/t/demo', clientId: 'demo', clientSecret: 'x' },
  ];
  return { env: { AUTHSEC_DEMO_PORT: String(port), AUTHSEC_DEMO_ENDPOINTS: JSON.stringify(endpoints) } };
}

/** Of the process itself: unshare, sh and setpriv each become the next. */
function residentMegabytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(status.match(/^VmRSS:\s+(\d+)/m)?.[1]) / 1024);
}

function secondsSince(began) {
  return Math.round((performance.now() - began) / 100) / 10;
}

function inherited() {
  return { ...process.env, NODE_OPTIONS: '' };
}

function listOf(app) {
  return readdirSync(app, { recursive: true }).map(String).sort();
}

function megabytesIn(app) {
  let bytes = 0;
  for (const entry of readdirSync(app, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return Math.round(bytes / 1e5) / 10;
}
