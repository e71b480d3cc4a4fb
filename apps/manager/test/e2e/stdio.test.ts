import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { isRunning } from '../../src/dev/process-table.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { eventually } from './eventually.js';
import { connectOverStdio, connectPerson, type McpPerson, type StdioPerson } from './mcp-person.js';
import { connectAdmin } from './tenant-admin.js';
import { findChromium, launchBrowser, signIn, signInForToken, signInOnLoopback } from './sign-in.js';

type Tenant = DevFile['tenants'][number];
type Person = Tenant['people'][number];

const chromium = findChromium();
const suite = chromium ? describe : describe.skip;
const loginTools = ['oauth_start', 'oauth_authenticate', 'oauth_status', 'oauth_logout', 'oauth_user_info'];

suite('the demo, started by a real MCP client on stdio', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let browser: Browser;
  let tenant: Tenant;
  let ada: Person;
  const homes: string[] = [];
  const open = new Set<McpPerson>();
  const logs: string[] = [];

  beforeAll(async () => {
    stack = startDevProcess({ directory: await makeStateDirectory() });
    [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
    tenant = dev.tenants[0]!;
    ada = tenant.people[0]!;
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...open].map((client) => client.close().catch(() => {})));
    await browser?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
    await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
  }, 60_000);

  async function makeHome(): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'authsec-home-'));
    homes.push(home);
    return home;
  }

  async function spawn(env: Record<string, string> = {}, home?: string): Promise<StdioPerson> {
    const { stdio } = tenant;
    const own = { ...stdio, env: { ...stdio.env, AUTHSEC_DEBUG: '1', ...env } };
    const client = await connectOverStdio(own, home ?? (await makeHome()));
    open.add(client);
    return client;
  }

  async function close(client: StdioPerson): Promise<void> {
    open.delete(client);
    await client.close();
    logs.push(client.stderr());
  }

  async function start(client: McpPerson) {
    const { structuredContent } = await client.call('oauth_start');
    const { session_id: sessionId, authorization_url: authorizationUrl } = structuredContent as Record<string, string>;
    return { sessionId: sessionId!, authorizationUrl: authorizationUrl! };
  }

  async function logIn(client: McpPerson, person = ada) {
    const { sessionId, authorizationUrl } = await start(client);
    const waiting = client.call('oauth_authenticate', { session_id: sessionId });
    const heading = await signInOnLoopback({ browser, authorizationUrl, ...person });
    return { sessionId, heading, answer: (await waiting).structuredContent };
  }

  const before = () => [...loginTools, ...tenant.publicTools];
  const after = (person: Person) => [...before(), ...person.tools].sort();
  const isBefore = (names: readonly string[]) => names.length === before().length;

  test('a person signs in, nothing is pasted, and the tools that are theirs appear', async () => {
    const client = await spawn();
    expect(await client.toolNames()).toEqual(before());
    const seen = client.listChanges();
    const { sessionId, heading, answer } = await logIn(client);
    expect(heading).toBe('You are signed in');
    expect(answer).toMatchObject({
      status: 'authenticated',
      session_id: sessionId,
      user_info: { email: ada.email, tenant_id: tenant.tenant_id },
      accessible_tools: ada.tools,
    });
    await client.listChangedSince(seen);
    expect([...(await client.toolNames())].sort()).toEqual(after(ada));
    expect((await client.call('hello', { greeting: 'Good day' })).structuredContent).toMatchObject({
      email: ada.email,
    });
    await client.call('oauth_logout');
    expect(await client.toolNames()).toEqual(before());
    await close(client);
  }, 60_000);

  test.each(['closes its pipe', 'is told to stop'])(
    'a server whose client %s ends its login at the Manager',
    async (how) => {
      const person = tenant.people[how === 'closes its pipe' ? 1 : 2]!;
      const admin = await connectAdmin(dev.manager.url, tenant);
      const ends = async () => admin.endsOf(await admin.userId(person.email), tenant.stdio.client_id);
      const client = await spawn();
      await logIn(client, person);
      expect(await ends()).toEqual([null]);
      if (how === 'is told to stop') {
        process.kill(client.pid, 'SIGTERM');
        await eventually(
          async () => isRunning(client.pid),
          (running) => !running,
        );
      }
      // The client kills a server that takes longer than some seconds; what that has sent by then still arrives.
      await close(client);
      expect(await eventually(ends, (all) => !all.includes(null))).toEqual(['logged_out']);
    },
    120_000,
  );

  test('the completion page serves containers and remote shells', async () => {
    const client = await spawn({ AUTHSEC_LOGIN: 'page' });
    const { sessionId, authorizationUrl } = await start(client);
    const code = await signIn({ browser, authorizationUrl, ...ada });
    const answer = await client.call('oauth_authenticate', { session_id: sessionId, code });
    expect(answer.structuredContent).toMatchObject({ status: 'authenticated', accessible_tools: ada.tools });
    await close(client);
  }, 60_000);

  test('a remembered login is there again after a restart, for both of two hosts, until it is logged out', async () => {
    const home = await makeHome();
    const remember = { AUTHSEC_REMEMBER_LOGIN: '1' };
    const first = await spawn(remember, home);
    await logIn(first);
    const folder = join(home, 'state', 'authsec');
    const [name = ''] = (await readdir(folder)).filter((entry) => entry.endsWith('.json'));
    expect([(await lstat(folder)).mode & 0o777, (await lstat(join(folder, name))).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    await close(first);

    const hosts = await Promise.all([spawn(remember, home), spawn(remember, home)]);
    const statusOf = async (host: McpPerson) => (await host.call('oauth_status')).structuredContent;
    const statusWhen = (host: McpPerson, status: string) =>
      eventually(
        () => statusOf(host),
        (answer) => answer?.['status'] === status,
      );
    for (const host of hosts) {
      expect(await statusWhen(host, 'authenticated')).toMatchObject({
        status: 'authenticated',
        restored: true,
        user_info: { email: ada.email },
        accessible_tools: ada.tools,
      });
      expect((await host.call('hello')).structuredContent).toMatchObject({ email: ada.email });
    }
    await hosts[0].call('oauth_logout');
    expect(await statusWhen(hosts[1], 'signed_out')).toMatchObject({ status: 'signed_out' });
    expect(await eventually(() => hosts[1].toolNames(), isBefore)).toEqual(before());
    expect((await readdir(folder)).filter((entry) => entry.endsWith('.json'))).toEqual([]);
    await Promise.all(hosts.map((host) => close(host)));
    const after = await spawn(remember, home);
    expect((await after.call('oauth_status')).structuredContent).toMatchObject({ status: 'signed_out' });
    await close(after);
  }, 120_000);

  test('the token of the completion page is taken over HTTP, in its own session, once', async () => {
    const [client, other] = await Promise.all([connectPerson(tenant.mcp), connectPerson(tenant.mcp)]);
    open.add(client).add(other);
    const { sessionId, authorizationUrl } = await start(client);
    const elsewhere = await start(other);
    const token = await signInForToken({ browser, authorizationUrl, ...ada });
    const foreign = await other.call('oauth_authenticate', { session_id: elsewhere.sessionId, jwt_token: token });
    expect(foreign.structuredContent).toMatchObject({ error: 'token_not_for_this_session' });
    const answer = await client.call('oauth_authenticate', { session_id: sessionId, jwt_token: token });
    expect(answer.structuredContent).toMatchObject({ status: 'authenticated', accessible_tools: ada.tools });
    const again = await client.call('oauth_authenticate', { session_id: sessionId, jwt_token: token });
    expect(again.isError).toBe(true);
  }, 60_000);

  test('nothing secret is told on standard error, at the highest level', async () => {
    const text = logs.join('\n');
    expect(text).toContain('[authsec]');
    expect(text).not.toMatch(/eyJ[\w-]{10,}\.eyJ|[?&]code=|refresh_token|\/go\/[\w-]{20,}/);
    expect(await readFile(join(stack.directory, 'logs', 'manager.log'), 'utf8')).not.toMatch(
      /eyJ[\w-]{10,}\.eyJ|[?&]code=[\w-]{8,}/,
    );
  });
});
