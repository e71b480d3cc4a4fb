import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Finding } from '../../src/commands/doctor/finding.js';
import { Secret } from '../../src/config/secret.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../../src/db/tenant-database-url.js';
import { createTestManager, type TestManager } from '../support/test-manager.js';
import { run } from './run-command.js';

let manager: TestManager;
let ids: string[];
let silent: Server;
const sockets = new Set<Socket>();

const commands = [
  ['migrate'],
  ['migrate', '--resume'],
  ['bootstrap'],
  ['serve'],
  ['keys', 'rotate', '--all'],
  ['keys', 'rewrap', '--all'],
  ['tenants', 'move', '--all', '--to', '127.0.0.1'],
  ['applications', 'create', '--tenant', 'acme', '--name', 'X', '--public'],
];

/** It takes every connection and says nothing. */
const silentHost = () => `127.0.0.1:${(silent.address() as AddressInfo).port}`;

beforeAll(async () => {
  silent = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  manager = await createTestManager({}, { AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1', AUTHSEC_URL: 'http://127.0.0.1:1' });
  ids = [];
  // Loaded one after the other: at the same time the test runner cannot.
  for (const args of commands) await run(args, {});
  for (let count = 0; count < 3; count++) ids.push((await manager.createTenant()).id);
  ids.sort();
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await manager.close();
});

/** Runs `work` while the tenant's row points at another server. */
async function pointedTo<T>(id: string, host: string, work: () => Promise<T>): Promise<T> {
  const { master, sealer } = manager.container;
  const { sealedDatabaseUrl } = await master.tenant.findUniqueOrThrow({ where: { id } });
  const url = new URL(openDatabaseUrl(sealer, id, sealedDatabaseUrl).reveal());
  url.host = host;
  const data = { sealedDatabaseUrl: sealDatabaseUrl(sealer, id, new Secret(url.href)) };
  await master.tenant.update({ where: { id }, data });
  try {
    return await work();
  } finally {
    await master.tenant.update({ where: { id }, data: { sealedDatabaseUrl } });
  }
}

async function examine(env: Record<string, string> = {}) {
  const { stdout } = await run(['doctor', '--json'], { ...manager.env, ...env });
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { of: (check: string) => findings.filter((finding) => finding.check === check), findings };
}

describe('every command says of the master database which one it is, what is wrong with it and what to look at', () => {
  const withMaster = (url: string) => ({ ...manager.env, AUTHSEC_DATABASE_URL: url, AUTHSEC_LOG_LEVEL: 'silent' });
  const inTurn = async (url: string) => {
    const results = await Promise.all(commands.map((args) => run(args, withMaster(url))));
    for (const { code, stdout, stderr } of results) {
      expect(code).toBe(1);
      expect(stdout + stderr).not.toMatch(/hunter2|somebody/);
    }
    return results.map(({ stderr }) => stderr);
  };

  test('nobody listens there', async () => {
    for (const stderr of await inTurn('postgresql://somebody:hunter2@127.0.0.1:1/authsec')) {
      expect(stderr).toMatch(/^the master database \(127\.0\.0\.1:1\/authsec\) cannot be used: connect ECONNREFUSED/);
      expect(stderr).toMatch(/^is the server up\?/m);
    }
  });

  test('what listens there says nothing, and it does not wait for ever', async () => {
    for (const stderr of await inTurn(`postgresql://somebody:hunter2@${silentHost()}/authsec`)) {
      expect(stderr).toBe(
        `the master database (${silentHost()}/authsec) cannot be used: no answer in time\nis the server up? Then name, port and firewall\n`,
      );
    }
  }, 60_000);

  test('there is no such role', async () => {
    const url = new URL(manager.env['AUTHSEC_DATABASE_URL']!);
    Object.assign(url, { username: 'nobody', password: 'hunter2' });
    for (const stderr of await inTurn(url.href)) expect(stderr).toMatch(/^the role, its password, and/m);
  });

  test('there is no such database, or it was never migrated', async () => {
    const url = new URL(manager.env['AUTHSEC_DATABASE_URL']!);
    const rotate = async (pathname: string) => {
      const { href } = Object.assign(new URL(url), { pathname });
      return (await run(['keys', 'rotate', '--all'], withMaster(href))).stderr;
    };
    expect(await rotate('/none')).toMatch(/^`bootstrap` makes it$/m);
    expect(await rotate('/postgres')).toBe('the master database is 1 migration(s) behind: `migrate` comes first\n');
  });
});

describe('doctor', () => {
  test('when everything is away says so of both servers, and ends', async () => {
    const url = `postgresql://somebody:hunter2@${silentHost()}/authsec`;
    const { of } = await examine({ AUTHSEC_DATABASE_URL: url, AUTHSEC_TENANT_DATABASE_URL: url });
    for (const check of ['master database', 'server of tenants']) {
      expect(of(check)).toEqual([
        {
          status: 'fail',
          check,
          found: `${silentHost()}/authsec: no answer in time`,
          advice: 'is the server up? Then name, port and firewall',
        },
      ]);
    }
  }, 60_000);

  test('ends with what it found, also where a % of the URL was not written as %25', async () => {
    const { of } = await examine({ AUTHSEC_DATABASE_URL: 'postgresql://somebody:100%@127.0.0.1:1/a%zz' });
    expect(of('passwords')).toMatchObject([{ status: 'ok' }]);
    expect(of('master database')).toMatchObject([
      { status: 'fail', found: expect.stringContaining('127.0.0.1:1/a%zz') },
    ]);
  });

  test('tells of tenants that are away where they should be, and of the others that they are well', async () => {
    const [first, second] = ids as [string, string];
    const { of } = await pointedTo(first, '127.0.0.1:1', () => pointedTo(second, silentHost(), () => examine()));
    expect(of('tenants')[0]?.found).toMatch(/^1 of 3 well/);
    const advice = 'is the server up? Then name, port and firewall';
    expect(of(`tenant ${first}`)).toMatchObject([
      { status: 'fail', found: expect.stringMatching(/^127\.0\.0\.1:1\/tenant_\w+: connect ECONNREFUSED/), advice },
    ]);
    expect(of(`tenant ${second}`)).toMatchObject([
      { status: 'fail', found: `${silentHost()}/tenant_${second}: no answer in time`, advice },
    ]);
  }, 60_000);

  test('does not wait for each of many tenants on a server that says nothing', async () => {
    const { master, sealer } = manager.container;
    const many = Array.from({ length: 40 }, (_, index) => `silent-${index}`);
    await master.tenant.createMany({
      data: many.map((id) => ({
        id,
        displayName: id,
        status: 'active' as const,
        sealedDatabaseUrl: sealDatabaseUrl(sealer, id, new Secret(`postgresql://x:y@${silentHost()}/tenant_${id}`)),
      })),
    });
    const { findings } = await examine();
    await master.tenant.deleteMany({ where: { id: { in: many } } });
    const found = findings.filter(({ check }) => check.startsWith('tenant silent-')).map((finding) => finding.found);
    expect(found).toHaveLength(40);
    const notAsked = found.filter((text) => /not asked, since this server gave others no answer/.test(text));
    // Eight are asked at a time; as long as not three have waited in vain, each that ends makes room for another.
    expect(notAsked.length).toBeGreaterThanOrEqual(30);
    expect(found.filter((text) => /no answer in time/.test(text))).toHaveLength(40 - notAsked.length);
  }, 60_000);

  test('names what looks like a setting and is none', async () => {
    const { of } = await examine({
      AUTHSEC_DATABAS_URL: 'x',
      AUTHSEC_BOOTSTRAP_EMAIL: 'a@b.test',
      AUTHSEC_MANAGER_SERVICE_HOST: '10.0.0.1',
      AUTHSEC_MANAGER_PORT_4700_TCP: 'tcp://10.0.0.1:4700',
      AUTHSEC_MANAGER_PORT: 'tcp://10.0.0.1:4700',
    });
    expect(of('settings')).toContainEqual({
      status: 'warn',
      check: 'settings',
      found: 'no such setting, without any effect: AUTHSEC_DATABAS_URL',
      advice: 'docs/configuration.md',
    });
  });
});

describe('with the sealing keys of another installation', () => {
  const key = randomBytes(32).toString('base64');

  test.each([
    ['of a name that nothing is sealed under', 'other'],
    ['of the same name', 'k1'],
  ])('%s: no Manager starts, no tenant is made, and it is said why', async (_name, keyId) => {
    const env = { ...manager.env, AUTHSEC_SEALING_KEYS: `${keyId}:${key}`, AUTHSEC_LOG_LEVEL: 'silent' };
    for (const args of [['serve'], ['bootstrap', '--tenant', 'made-by-mistake']]) {
      const { code, stderr } = await run(args, env);
      expect(code).toBe(1);
      expect(stderr).toContain(`AUTHSEC_SEALING_KEYS (${keyId}) opens nothing that is sealed in the master database`);
      expect(stderr).not.toContain(key);
    }
    expect(await manager.container.master.tenant.count({ where: { id: 'made-by-mistake' } })).toBe(0);
  });
});

test('--version says which release it is', async () => {
  const { version } = JSON.parse(
    await readFile(new URL('../../../../packages/manager-client/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  expect(execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8', env: {} })).toBe(`${version}\n`);
});

describe('applications create', () => {
  const create = (...args: string[]) =>
    run(['applications', 'create', '--tenant', ids[0]!, '--name', 'X', ...args], manager.env);

  test('says which field is wrong', async () => {
    const { stderr } = await create('--public', '--redirect-uri', 'nowhere');
    expect(stderr).toMatch(/^the application is not valid\n {2}redirect_uris\/0: /);
  });

  test('says of a file that cannot be written why', async () => {
    const { stderr } = await create('--credentials-file', '/nonexistent/x');
    expect(stderr).toBe('/nonexistent/x: ENOENT; there is no such folder\n');
  });
});
