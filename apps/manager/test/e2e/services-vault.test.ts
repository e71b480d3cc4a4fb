import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { describeOpenBao } from '../integrations/vault-under-test.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { readDevSecrets } from './dev-secrets.js';
import { eventually } from './eventually.js';
import { connectSignedIn } from './log-in.js';
import { errorOf, type McpPerson } from './mcp-person.js';
import { findChromium, launchBrowser } from './sign-in.js';
import { connectAdmin } from './tenant-admin.js';

const chromium = findChromium();
const suite = chromium ? describeOpenBao : describe.skip;

suite('pnpm dev --vault', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let browser: Browser;
  const open: McpPerson[] = [];

  beforeAll(async () => {
    stack = startDevProcess({ directory: await makeStateDirectory(), args: ['--vault'] });
    [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((client) => client.close().catch(() => {})));
    await browser?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
  }, 60_000);

  async function connect(index: number, email: string): Promise<McpPerson> {
    const tenant = dev.tenants[index]!;
    const person = tenant.people.find((one) => one.email.startsWith(`${email}@`))!;
    const client = await connectSignedIn(browser, tenant.mcp, person);
    open.push(client);
    return client;
  }

  async function restart(args: readonly string[]): Promise<void> {
    const { directory } = stack;
    await Promise.all(open.splice(0).map((client) => client.close().catch(() => {})));
    await stack.interrupt();
    stack = startDevProcess({ directory, args });
    dev = await stack.ready();
  }

  test('names its Vault in dev.json and on the terminal', () => {
    expect(dev.vault).toEqual({ address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
    expect(stack.output()).toContain(dev.vault?.address);
  });

  test('run_report reads with an account of its own each time, which is gone after the call', async () => {
    const client = await connect(0, 'ana');
    const { serverUrl } = await readDevSecrets(stack.directory);
    const accounts: string[] = [];
    for (let call = 0; call < 3; call += 1) {
      const { structuredContent } = await client.call('run_report');
      const answer = structuredContent as { sales: { region: string }[]; read_as: string };
      expect(answer.sales.map(({ region }) => region)).toEqual(['north', 'west', 'south']);
      accounts.push(answer.read_as);
    }
    expect(new Set(accounts).size).toBe(3);
    const left = () => rolesAmong(serverUrl, accounts);
    expect(await eventually(left, (names) => names.length === 0)).toEqual([]);
  }, 90_000);

  test('the account of one tenant’s reports opens nothing of the other’s', async () => {
    const { credentials, serverUrl } = await readDevSecrets(stack.directory);
    const url = new URL(serverUrl);
    url.username = 'reports_acme-corp';
    url.password = credentials.reportsPassword('acme-corp');
    for (const database of ['reports_globex', 'tenant_acme-corp', 'authsec']) {
      url.pathname = `/${database}`;
      const client = new Client({ connectionString: url.href });
      await expect(client.connect()).rejects.toThrow(/permission denied/);
      await client.end().catch(() => {});
    }
  }, 30_000);

  test('who may not has no report and no account is made', async () => {
    const { serverUrl } = await readDevSecrets(stack.directory);
    const before = await rolesAmong(serverUrl);
    const client = await connect(0, 'dev');
    expect(await client.toolNames()).not.toContain('run_report');
    expect((await client.call('run_report')).isError).toBe(true);
    expect(await rolesAmong(serverUrl)).toEqual(before);
  }, 60_000);

  test('keeps its secrets over a restart, and goes to the sealed store and back', async () => {
    await restart(['--vault']);
    const admin = await connectAdmin(dev.manager.url, dev.tenants[0]!);
    const { services } = (await admin.request('GET', 'services')) as { services: { name: string }[] };
    expect(services.map(({ name }) => name).sort()).toEqual(['github', 'reports']);
    const vault = await connect(0, 'ada');
    expect((await vault.call('list_repositories')).isError).toBeFalsy();
    expect((await vault.call('run_report')).isError).toBeFalsy();

    await restart([]);
    expect(dev.vault).toBeUndefined();
    const sealed = await connect(0, 'ada');
    expect((await sealed.call('list_repositories')).isError).toBeFalsy();
    expect((await sealed.call('run_report')).content[0]?.text).toContain('pnpm dev --vault');

    await restart(['--vault']);
    const again = await connect(0, 'ada');
    const answers = [await again.call('list_repositories'), await again.call('run_report')];
    expect(answers.map((answer) => errorOf(answer))).toEqual([undefined, undefined]);
    expect(answers.map(({ isError }) => isError ?? false)).toEqual([false, false]);
  }, 180_000);
});

/** The accounts that Vault made, of these names where some are given. */
async function rolesAmong(connectionString: string, names?: readonly string[]): Promise<readonly string[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ rolname: string }>(
      `SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%' AND ($1::text[] IS NULL OR rolname = ANY ($1)) ORDER BY 1`,
      [names],
    );
    return rows.map(({ rolname }) => rolname);
  } finally {
    await client.end();
  }
}
