import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startPostgres, type PostgresServer } from '@authsec/config/embedded-postgres';

const password = 'p@ss/word';
let directory: string;
let parent: string;
const running: PostgresServer[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'authsec-test-'));
  await chmod(parent, 0o755);
  directory = join(parent, 'cluster');
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await rm(parent, { recursive: true, force: true });
});

async function start(more: { port?: number; unsafe?: boolean } = {}): Promise<PostgresServer> {
  const server = await startPostgres({ directory, password, unsafe: true, ...more });
  running.push(server);
  return server;
}

async function query(url: string, sql: string) {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Its children end by themselves when they see that it is gone. */
async function killPostmaster(): Promise<void> {
  const pid = Number((await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
}

describe('the embedded PostgreSQL', () => {
  test('keeps its data over a stop', async () => {
    await query((await start()).url, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
    await running.pop()!.stop();
    expect(await query((await start()).url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  test('starts again after kill -9 and keeps what was committed', async () => {
    await query((await start({ unsafe: false })).url, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
    await killPostmaster();
    await running.pop()!.stop();
    expect(await query((await start({ unsafe: false })).url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  test('starts where the lock that was left names a process that is another program now', async () => {
    await start();
    await running.pop()!.stop();
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
    await writeFile(join(directory, 'postmaster.pid'), `${other.pid}\n${directory}\n`);
    expect(await query((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    other.kill();
    await once(other, 'exit');
  });

  test('says so when its cluster is in use', async () => {
    await start();
    await expect(start()).rejects.toThrow(/\(pid \d+\) already runs on .*cluster/);
  });

  test('says so when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toThrow(`port ${port}, asked for PostgreSQL, is already taken`);
    other.close();
  });

  test('says why when it does not start', async () => {
    await start();
    await running.pop()!.stop();
    await writeFile(join(directory, 'postgresql.conf'), 'no_such_setting = 1');
    await expect(start()).rejects.toThrow(/did not start.*FATAL: .*postgresql\.conf/);
  });

  test('makes its cluster anew when it was killed while making it', async () => {
    await mkdir(`${directory}.unfinished`);
    await writeFile(join(`${directory}.unfinished`, 'PG_VERSION'), '18');
    expect(await query((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('without a directory leaves nothing behind', async () => {
    const server = await startPostgres({ password, unsafe: true });
    const [row] = await query(server.url, `SHOW data_directory`);
    await server.stop();
    await expect(readFile(join(row.data_directory, 'PG_VERSION'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
