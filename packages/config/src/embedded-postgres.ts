import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findPostgresUser } from './postgres-user.js';
import { stopPostmaster } from './postmaster.js';

export { stopPostmaster } from './postmaster.js';

export interface PostgresServer {
  /** Superuser URL of the maintenance database. */
  readonly url: string;
  /** Resolves, never rejects, when it has ended without being stopped: all of it is gone then. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Where the cluster lives; without it, in a temporary folder that `stop` removes. */
  readonly directory?: string;
  readonly password: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Trades durability for speed: for tests. */
  readonly unsafe?: boolean;
  /** Gets what the server logs. */
  readonly onLog?: (line: string) => void;
}

export interface KeeperInput {
  readonly directory: string;
  readonly password: string;
  readonly port: number;
  readonly flags: readonly string[];
}
export type KeeperReport = { readonly pid: number } | { readonly error: string };

const graceMs = 10_000;

/**
 * Starts a real PostgreSQL on 127.0.0.1, making its cluster where there is none. It runs below a keeper process that
 * holds a pipe to this one: when this process ends, in whatever way, PostgreSQL stops.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { password, onLog } = options;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'authsec-postgres-')));
  await stopPostmaster(directory);
  const port = options.port || (await freePort());
  const keeper = await spawnKeeper(directory);
  const ended = once(keeper, 'exit').then(() => stopPostmaster(directory));
  if (keeper.stderr) createInterface({ input: keeper.stderr }).on('line', (line) => onLog?.(line));
  const reported = firstReport(keeper);
  const input: KeeperInput = { directory, password, port, flags: serverFlags(options.unsafe ?? false) };
  keeper.stdin?.on('error', () => {}).write(`${JSON.stringify(input)}\n`);
  const report = await reported;
  if ('error' in report) throw new Error(`PostgreSQL did not start: ${report.error}`);
  return {
    url: `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    ended,
    async stop() {
      keeper.stdin?.end();
      const timer = setTimeout(() => keeper.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
      if (!options.directory) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Its own process group, so that a Ctrl-C at the terminal does not reach it. */
async function spawnKeeper(directory: string): Promise<ChildProcess> {
  const user = findPostgresUser();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (user) await chown(directory, user.uid, user.gid);
  const script = fileURLToPath(new URL('postgres-keeper.js', import.meta.url));
  const [command = '', ...args] = [...(user?.prefix ?? []), process.execPath, script];
  return spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    ...(user && user.prefix.length === 0 ? { uid: user.uid, gid: user.gid } : {}),
  });
}

function firstReport(keeper: ChildProcess): Promise<KeeperReport> {
  return new Promise((resolve) => {
    if (keeper.stdout) {
      createInterface({ input: keeper.stdout }).on('line', (line) => {
        if (line.startsWith('{')) resolve(JSON.parse(line) as KeeperReport);
      });
    }
    keeper.once('error', (error) => resolve({ error: error.message }));
    keeper.once('close', (code) => resolve({ error: `its keeper ended with code ${code}` }));
  });
}

function serverFlags(unsafe: boolean): readonly string[] {
  return [
    'listen_addresses=127.0.0.1',
    'max_connections=200',
    'unix_socket_directories=',
    // Without one of its processes the whole server ends, and with it all that its keeper's owner runs.
    'restart_after_crash=off',
    ...(unsafe ? ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'] : []),
  ];
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
