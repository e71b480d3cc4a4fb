import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { eventually } from './eventually.js';
import { connectPerson, type McpPerson } from './mcp-person.js';
import { findChromium, launchBrowser, signIn } from './sign-in.js';
import { connectAdmin } from './tenant-admin.js';

type Tenant = DevFile['tenants'][number];
type Person = Tenant['people'][number];

const chromium = findChromium();
const suite = chromium ? describe : describe.skip;
const loginTools = ['oauth_start', 'oauth_authenticate', 'oauth_status', 'oauth_logout', 'oauth_user_info'];

suite('a person signs in, and the tools that are theirs appear', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let browser: Browser;
  /** Whatever must be found in no log. */
  const secrets = new Set<string>();
  const open: McpPerson[] = [];

  beforeAll(async () => {
    stack = startDevProcess({
      directory: await makeStateDirectory(),
      env: { AUTHSEC_LOG_LEVEL: 'trace', AUTHSEC_DEBUG: '1' },
    });
    [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
    for (const { admin, application, people } of dev.tenants) {
      for (const secret of [admin.client_secret, application.client_secret]) secrets.add(secret);
      for (const { password } of people) secrets.add(password);
    }
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
  }, 60_000);

  async function connect({ mcp }: Tenant): Promise<McpPerson> {
    const person = await connectPerson(mcp);
    if (person.sessionId) secrets.add(person.sessionId);
    open.push(person);
    return person;
  }

  async function start(client: McpPerson): Promise<{ session_id: string; authorization_url: string }> {
    const { structuredContent } = await client.call('oauth_start');
    const started = structuredContent as { session_id: string; authorization_url: string };
    secrets.add(new URL(started.authorization_url).pathname.split('/').at(-1) ?? '');
    return started;
  }

  async function logIn(client: McpPerson, person: Person, javaScript = true) {
    const { session_id, authorization_url } = await start(client);
    const code = await signIn({ browser, authorizationUrl: authorization_url, ...person, javaScript });
    secrets.add(code);
    return { session_id, answer: await client.call('oauth_authenticate', { session_id, code }) };
  }

  const tenantOf = (index: number): Tenant => dev.tenants[index] as Tenant;
  const before = (tenant: Tenant) => [...loginTools, ...tenant.publicTools];
  const after = (tenant: Tenant, person: Person) => [...before(tenant), ...person.tools].sort();

  test('for two people of two tenants at once: lists before, during and after', async () => {
    await Promise.all(
      [0, 1].map(async (index) => {
        const tenant = tenantOf(index);
        const person = tenant.people[0] as Person;
        const client = await connect(tenant);
        expect(client.capabilities?.tools?.listChanged).toBe(true);
        expect(await client.toolNames()).toEqual(before(tenant));

        const { session_id, authorization_url } = await start(client);
        expect(authorization_url.startsWith(`${tenant.issuer}/go/`)).toBe(true);
        expect(await client.toolNames()).toEqual(before(tenant));

        const seen = client.listChanges();
        const code = await signIn({ browser, authorizationUrl: authorization_url, ...person });
        secrets.add(code);
        expect(await client.toolNames()).toEqual(before(tenant));
        const answer = await client.call('oauth_authenticate', { session_id, code });
        expect(answer.structuredContent).toMatchObject({
          status: 'authenticated',
          session_id,
          user_info: { email: person.email, tenant_id: tenant.tenant_id },
          accessible_tools: person.tools,
        });
        expect(JSON.parse(answer.content[0]?.text ?? '')).toEqual(answer.structuredContent);
        await client.listChangedSince(seen);
        expect([...(await client.toolNames())].sort()).toEqual(after(tenant, person));

        const hello = await client.call('hello', {
          greeting: 'Good day',
          _user_info: { email: 'mallory@example.com' },
        });
        expect(hello.structuredContent).toMatchObject({
          message: `Good day, ${person.email} of ${tenant.tenant_id}!`,
          email: person.email,
        });

        const seenBeforeLogout = client.listChanges();
        await client.call('oauth_logout');
        await client.listChangedSince(seenBeforeLogout);
        expect(await client.toolNames()).toEqual(before(tenant));
        const refused = await client.call('hello');
        expect(refused.isError).toBe(true);
      }),
    );
  }, 90_000);

  test('with JavaScript switched off, too', async () => {
    const tenant = tenantOf(0);
    const person = tenant.people[1] as Person;
    const client = await connect(tenant);
    const { answer } = await logIn(client, person, false);
    expect(answer.structuredContent).toMatchObject({ status: 'authenticated', accessible_tools: person.tools });
  }, 60_000);

  test('every seeded person sees exactly the tools that dev.json names', async () => {
    const found: Record<string, readonly string[]> = {};
    const expected: Record<string, readonly string[]> = {};
    await Promise.all(
      dev.tenants.map(async (tenant) => {
        for (const person of tenant.people) {
          const client = await connect(tenant);
          await logIn(client, person);
          found[person.email] = (await client.toolNames()).filter((name) => !before(tenant).includes(name)).sort();
          expected[person.email] = person.tools;
          await client.close();
        }
      }),
    );
    expect(found).toEqual(expected);
  }, 180_000);

  test('every tool takes its input and answers with structured content, in the name of the person', async () => {
    const tenant = tenantOf(0);
    const person = tenant.people[0] as Person;
    const client = await connect(tenant);
    expect((await client.call('ping', { message: 'hi' })).structuredContent).toMatchObject({ message: 'hi' });
    await logIn(client, person);
    const { email } = person;
    const ask = async (name: string, args: Record<string, unknown>) =>
      (await client.call(name, args)).structuredContent;
    expect(await ask('calculator', { operation: 'multiply', a: 6, b: 7 })).toEqual({
      result: 42,
      expression: '6 × 7',
      calculated_for: email,
    });
    expect(await ask('admin_dashboard', { section: 'projects' })).toMatchObject({ opened_by: email, project_count: 3 });
    expect(await ask('view_analytics', { days: 2 })).toMatchObject({ viewed_by: email, days: 2 });
    expect(await ask('delete_project', { project_id: 'data-lake' })).toEqual({
      deleted: 'data-lake',
      deleted_by: email,
      remaining: ['website', 'mobile-app'],
    });
    expect((await client.call('delete_project', { project_id: 'data-lake' })).isError).toBe(true);
    expect((await client.call('calculator', { operation: 'divide', a: 1, b: 0 })).isError).toBe(true);
    expect((await client.call('calculator', { operation: 'eval', a: 1, b: 0 })).isError).toBe(true);
  }, 60_000);

  test('a hidden tool answers as one that does not exist', async () => {
    const tenant = tenantOf(0);
    const nobody = tenant.people.find(({ tools }) => tools.length === 1) as Person;
    const client = await connect(tenant);
    await logIn(client, nobody);
    const hidden = await client.call('admin_dashboard', { section: 'overview' });
    const unknown = await client.call('admin_dashboarx', { section: 'overview' });
    expect(hidden.isError).toBe(true);
    expect(JSON.stringify(hidden).replaceAll('admin_dashboard', '*')).toBe(
      JSON.stringify(unknown).replaceAll('admin_dashboarx', '*'),
    );
  }, 60_000);

  test('a role that is taken away takes its tools with it, and brings them back', async () => {
    const tenant = tenantOf(0);
    const person = tenant.people[0] as Person;
    const [client, admin] = await Promise.all([connect(tenant), connectAdmin(dev.manager.url, tenant)]);
    await logIn(client, person);
    expect((await client.call('admin_dashboard')).structuredContent).toMatchObject({ opened_by: person.email });

    const userId = await admin.userId(person.email);
    const seen = client.listChanges();
    await admin.unassign(userId, 'roles', 'admin');
    await client.listChangedSince(seen);
    // The notice of the login itself may come only now: the list is read until it is the one that the change makes.
    const sorted = async () => [...(await client.toolNames())].sort();
    const without = [...before(tenant), 'hello'].sort();
    expect(await eventually(sorted, (names) => names.length === without.length)).toEqual(without);
    const refused = await client.call('admin_dashboard');
    const unknown = await client.call('admin_dashboarx');
    expect(JSON.stringify(refused).replaceAll('admin_dashboard', '*')).toBe(
      JSON.stringify(unknown).replaceAll('admin_dashboarx', '*'),
    );

    const seenAgain = client.listChanges();
    await admin.assign(userId, 'roles', 'admin');
    await client.listChangedSince(seenAgain);
    const all = after(tenant, person);
    expect(await eventually(sorted, (names) => names.length === all.length)).toEqual(all);
  }, 120_000);

  test('a login that an administrator revokes says so in its own MCP session, and in no other', async () => {
    const tenant = tenantOf(0);
    const person = tenant.people[0] as Person;
    const [client, other, admin] = await Promise.all([
      connect(tenant),
      connect(tenant),
      connectAdmin(dev.manager.url, tenant),
    ]);
    await logIn(other, person);
    const sids = await admin.livingSids(person.email);
    await logIn(client, person);
    const added = (await admin.livingSids(person.email)).filter((sid) => !sids.includes(sid));
    expect(added).toHaveLength(1);
    await admin.request('DELETE', `sessions/${added[0]}`);

    const statusOf = async (from: typeof client) => (await from.call('oauth_status')).structuredContent;
    const said = await eventually(
      () => statusOf(client),
      (answer) => answer?.['status'] === 'signed_out',
    );
    expect(said).toMatchObject({ status: 'signed_out', login_ended: { reason: 'revoked', at: expect.any(String) } });
    expect(JSON.stringify(said)).not.toContain(person.email);
    expect(await client.toolNames()).toEqual(before(tenant));
    expect(await statusOf(other)).toMatchObject({ status: 'authenticated', message: 'Signed in.' });
    expect(await statusOf(other)).not.toHaveProperty('login_ended');
  }, 60_000);

  test('a session_id is worth nothing on another connection', async () => {
    const tenant = tenantOf(1);
    const person = tenant.people[0] as Person;
    const [owner, other] = await Promise.all([connect(tenant), connect(tenant)]);
    const { session_id, authorization_url } = await start(owner);
    const code = await signIn({ browser, authorizationUrl: authorization_url, ...person });
    secrets.add(code);
    const refused = await other.call('oauth_authenticate', { session_id, code });
    expect(refused.isError).toBe(true);
    expect(await other.toolNames()).toEqual(before(tenant));

    const answer = await owner.call('oauth_authenticate', { session_id, code });
    expect(answer.structuredContent).toMatchObject({ status: 'authenticated' });
    for (const tool of ['oauth_status', 'oauth_user_info', 'oauth_logout']) {
      expect((await other.call(tool, { session_id })).isError).toBe(true);
    }
    expect((await owner.call('hello')).isError).toBeFalsy();
  }, 60_000);

  test('no log has a password, secret, code, token or transport session in it', async () => {
    await Promise.all(open.map((client) => client.close()));
    const logs = join(stack.directory, 'logs');
    const names = (await readdir(logs)).sort();
    expect(names).toEqual(['demo.log', 'identity-provider.log', 'manager.log', 'postgres.log']);
    expect(secrets.size).toBeGreaterThan(30);
    for (const name of names) {
      const text = await readFile(join(logs, name), 'utf8');
      const leaked = [...secrets].filter((secret) => text.includes(secret));
      expect({ name, leaked, tokens: text.match(/eyJ[\w-]{10,}\.eyJ[\w-]{10,}/g) ?? [] }).toEqual({
        name,
        leaked: [],
        tokens: [],
      });
      if (name === 'manager.log') expect(text.length).toBeGreaterThan(1_000);
    }
  }, 60_000);
});
