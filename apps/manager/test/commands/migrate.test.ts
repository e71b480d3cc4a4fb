import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Secret } from '../../src/config/secret.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../../src/db/tenant-database-url.js';
import { createTestManager, type TestManager } from '../support/test-manager.js';
import { run } from './run-command.js';

const older = '20200101000000_older';
let manager: TestManager;
let ids: string[];
let urls: Map<string, Secret>;

beforeAll(async () => {
  manager = await createTestManager();
  ids = [];
  for (let count = 0; count < 4; count++) ids.push((await manager.createTenant()).id);
  ids.sort();
  const { master, sealer } = manager.container;
  const rows = await master.tenant.findMany();
  urls = new Map(rows.map((row) => [row.id, openDatabaseUrl(sealer, row.id, row.sealedDatabaseUrl)]));
});
afterAll(() => manager.close());

const pointTo = (id: string, url: Secret) =>
  manager.container.master.tenant.update({
    where: { id },
    data: { sealedDatabaseUrl: sealDatabaseUrl(manager.container.sealer, id, url) },
  });
const down = new Secret('postgresql://x:hunter2-password@127.0.0.1:1/x');
const versions = async () =>
  (await manager.container.master.tenant.findMany({ orderBy: { id: 'asc' } })).map((row) => row.schemaVersion);

beforeEach(async () => {
  for (const [id, url] of urls) await pointTo(id, url);
  await manager.container.master.tenant.updateMany({ data: { schemaVersion: older } });
});

describe('migrate', () => {
  test('brings the master and all tenants up to date, telling of each', async () => {
    const { code, stdout, stderr } = await run(['migrate'], manager.env);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^master: up to date$/m);
    for (const id of ids) expect(stdout).toMatch(new RegExp(`^\\[\\d/4\\] ${id}: up to date$`, 'm'));
    expect(stdout).toMatch(/^4 tenant\(s\) up to date$/m);
    expect(await versions()).not.toContain(older);
  });

  test('a tenant that fails holds up no other; the failures are a table, the exit code is not 0', async () => {
    await pointTo(ids[1]!, down);
    const { code, stdout, stderr } = await run(['migrate'], manager.env);
    expect(code).toBe(1);
    expect(stdout).toContain(`${ids[1]}: FAILED`);
    expect(stderr).toMatch(new RegExp(`│ ${ids[1]} +│ connect ECONNREFUSED`));
    expect(stderr).toMatch(
      /1 of 4 tenant\(s\) failed; put it right \(`doctor` says more\), then run `migrate --resume`/,
    );
    expect(stdout + stderr).not.toContain('hunter2');
    expect((await versions()).map((version) => version === older)).toEqual([false, true, false, false]);
  });

  test('of a migration that PostgreSQL refuses, the table has what it said and no more', async () => {
    const client = new Client({ connectionString: urls.get(ids[1]!)!.reveal() });
    await client.connect();
    await client.query(`CREATE TABLE removed AS SELECT * FROM _prisma_migrations ORDER BY migration_name DESC LIMIT 1`);
    await client.query('DELETE FROM _prisma_migrations WHERE id = (SELECT id FROM removed)');
    const { code, stderr } = await run(['migrate'], manager.env);
    await client.query('INSERT INTO _prisma_migrations SELECT * FROM removed');
    await client.query('DROP TABLE removed');
    await client.end();
    expect(code).toBe(1);
    const said = stderr.replaceAll(/[│\s]+/g, ' ');
    expect(said).toMatch(/ migration \d+_\w+ could not be applied: ERROR: \S+ "\w+"[^:]* already exists └/);
  });

  test('--resume looks only at the tenants that the master does not record as done', async () => {
    await pointTo(ids[1]!, down);
    await run(['migrate'], manager.env);
    await pointTo(ids[1]!, urls.get(ids[1]!)!);
    const { code, stdout } = await run(['migrate', '--resume'], manager.env);
    expect(code).toBe(0);
    expect(stdout).toContain(`[1/1] ${ids[1]}: up to date`);
    expect((await run(['migrate', '--resume'], manager.env)).stdout).toMatch(/^0 tenant\(s\) up to date$/m);
    expect((await run(['migrate'], manager.env)).stdout).toMatch(/^4 tenant\(s\) up to date$/m);
  });

  test('--canary goes first: where one fails, the rest is left as it is', async () => {
    await pointTo(ids[1]!, down);
    const { code, stderr } = await run(['migrate', '--canary', '2'], manager.env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/1 of 4 tenant\(s\) failed, 2 not tried after a canary failed/);
    expect((await versions()).map((version) => version === older)).toEqual([false, true, true, true]);
  });

  test('--canary whose tenants are well goes on with the rest', async () => {
    await pointTo(ids[3]!, down);
    const { code } = await run(['migrate', '--canary', '2', '--concurrency', '1'], manager.env);
    expect(code).toBe(1);
    expect((await versions()).map((version) => version === older)).toEqual([false, false, false, true]);
  });

  test('stopped, it ends those that it began and no others; --resume goes on', async () => {
    const signals = new EventEmitter();
    signals.once('printed', () => signals.once('printed', () => signals.emit('SIGINT')));
    const { code, stdout, stderr } = await run(['migrate', '--concurrency', '1'], manager.env, '', signals);
    expect(code).toBe(1);
    expect(stdout).toBe(`master: up to date\n[1/4] ${ids[0]}: up to date\n`);
    expect(stderr).toMatch(/^stopping: what is being migrated comes to its end first; once more ends it at once$/m);
    expect(stderr).toMatch(/^0 of 4 tenant\(s\) failed, 3 not tried: it was stopped; go on with `migrate --resume`$/m);
    expect((await versions()).map((version) => version === older)).toEqual([false, true, true, true]);
    expect((await run(['migrate', '--resume'], manager.env)).stdout).toMatch(/^3 tenant\(s\) up to date$/m);
  });

  test('stopped twice, it ends at once', async () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    signals.on('exit', (code: number) => exits.push(code));
    signals.once('printed', () => signals.emit('SIGTERM'));
    signals.once('printed', () => signals.emit('SIGTERM'));
    const { code, stderr } = await run(['migrate'], manager.env, '', signals);
    expect([code, exits]).toEqual([1, [1]]);
    expect(stderr).toMatch(/^stopped before any tenant; go on with `migrate --resume`$/m);
    expect(await versions()).toEqual([older, older, older, older]);
  });

  test('a master that is away is named, without who connects to it', async () => {
    const env = { ...manager.env, AUTHSEC_DATABASE_URL: down.reveal() };
    const { code, stderr } = await run(['migrate'], env);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'the master database (127.0.0.1:1/x) cannot be used: connect ECONNREFUSED 127.0.0.1:1\n' +
        'is the server up? Then name, port and firewall\n',
    );
  });
});

describe('serve where databases are migrated as a step of its own', () => {
  test('does not start on a master database that is behind', async () => {
    const url = new URL(manager.env['AUTHSEC_DATABASE_URL']!);
    url.pathname = '/postgres';
    const env = { ...manager.env, AUTHSEC_DATABASE_URL: url.href, AUTHSEC_MIGRATE_ON_START: '0' };
    const { code, stderr } = await run(['serve'], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/the master database is \d+ migration\(s\) behind: run `migrate` first/);
  });
});
