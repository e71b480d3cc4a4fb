import { chown, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startKeeper, type KeeperInput } from './keeper-process.js';
import { findPostgresUser, type PostgresUser } from './postgres-user.js';
import { findPostmaster, stopPostmaster } from './postmaster.js';
import { takePort } from './take-port.js';

export { stopPostmaster } from './postmaster.js';

export interface PostgresServer {
  /** Superuser URL of the maintenance database. */
  readonly url: string;
  /** Resolves, never rejects, when it has ended, whether stopped or not: all of it is gone then. */
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
  /** A file that tells others that all is up: removed as soon as the server is to stop, also when we were killed. */
  readonly announcement?: string;
  /** Gets what the server logs. */
  readonly onLog?: (line: string) => void;
}

/**
 * Starts a real PostgreSQL on 127.0.0.1, making its cluster where there is none. It runs below a keeper process that
 * holds a pipe to this one: when this process ends, in whatever way, PostgreSQL stops. What a killed one left behind is
 * cleared away; a taken port, and a cluster that is in use, are errors that say so.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { password, unsafe = false, onLog = () => {} } = options;
  const directory = resolve(options.directory ?? (await mkdtemp(join(tmpdir(), 'authsec-postgres-'))));
  const port = await takePortOfPostgres(options.port ?? 0);
  await clearStaleLock(directory);
  const user = findPostgresUser([directory]);
  const { announcement } = options;
  const input: KeeperInput = { task: 'serve', directory, password, port, flags: serverFlags(unsafe), announcement };
  if (!(await exists(join(directory, 'PG_VERSION')))) await initialise(input, unsafe, user);
  const keeper = startKeeper(input, user, onLog);
  const ended = keeper.ended.then(() => stopPostmaster(directory));
  const report = await keeper.reported;
  if ('error' in report) {
    await ended;
    throw new Error(`PostgreSQL did not start: ${report.error}`);
  }
  return {
    url: `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    ended,
    async stop() {
      keeper.stop();
      await ended;
      if (!options.directory) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** In a folder beside it, moved in place when it is whole: killed in between, the next start begins it anew. */
async function initialise(input: KeeperInput, unsafe: boolean, user: PostgresUser | undefined): Promise<void> {
  const unfinished = `${input.directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  if (user) await chown(unfinished, user.uid, user.gid);
  const flags = unsafe ? ['--no-sync'] : [];
  const keeper = startKeeper({ ...input, task: 'initialise', directory: unfinished, flags }, user, () => {});
  const report = await keeper.reported;
  await keeper.ended;
  if ('error' in report) throw new Error(`PostgreSQL could not make its cluster: ${report.error}`);
  await rm(input.directory, { recursive: true, force: true });
  await rename(unfinished, input.directory);
}

/** A lock whose process is gone, or is another program that came to the same number, would stop PostgreSQL for ever. */
async function clearStaleLock(directory: string): Promise<void> {
  const pid = findPostmaster(directory);
  if (pid !== undefined) throw new Error(`PostgreSQL (pid ${pid}) already runs on ${directory}: stop it first`);
  await rm(join(directory, 'postmaster.pid'), { force: true });
}

function serverFlags(unsafe: boolean): readonly string[] {
  return [
    'listen_addresses=127.0.0.1',
    'max_connections=200',
    'unix_socket_directories=',
    // Without one of its processes the whole server ends, and with it all that the owner of its keeper runs.
    'restart_after_crash=off',
    ...(unsafe ? ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'] : []),
  ];
}

function takePortOfPostgres(wanted: number): Promise<number> {
  return takePort(wanted).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EADDRINUSE' ? 'is already taken' : `cannot be used (${cause.code})`;
    throw new Error(`port ${wanted}, asked for PostgreSQL, ${why}`, { cause });
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
