import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { connectOverStdio, connectPerson, type McpPerson } from './mcp-person.js';
import { findChromium, launchBrowser, signIn, signInOnLoopback } from './sign-in.js';

type Tenant = DevFile['tenants'][number];
type Person = Tenant['people'][number];

const chromium = findChromium();
const suite = chromium ? describe : describe.skip;

/** Each way in of each tenant, over Streamable HTTP and over stdio, by the real processes, a real MCP client and a real browser. */
suite('each way to sign in ends with the tools of that person', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let browser: Browser;
  let home: string;
  const open: McpPerson[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'authsec-home-'));
    stack = startDevProcess({ directory: await makeStateDirectory() });
    [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((client) => client.close()));
    await browser?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  async function logIn(tenant: Tenant, person: Person, javaScript: boolean) {
    const client = await connectPerson(tenant.mcp);
    open.push(client);
    const { structuredContent } = await client.call('oauth_start');
    const { session_id, authorization_url } = structuredContent as Record<string, string>;
    const code = await signIn({ browser, authorizationUrl: authorization_url!, ...person, javaScript });
    const answer = await client.call('oauth_authenticate', { session_id, code });
    return answer.structuredContent;
  }

  /** The browser comes back to the process by itself. */
  async function logInOverStdio(tenant: Tenant, person: Person) {
    const client = await connectOverStdio(tenant.stdio, home);
    open.push(client);
    const { structuredContent } = await client.call('oauth_start');
    const { session_id, authorization_url } = structuredContent as Record<string, string>;
    const waiting = client.call('oauth_authenticate', { session_id });
    await signInOnLoopback({ browser, authorizationUrl: authorization_url!, ...person });
    return (await waiting).structuredContent;
  }

  const ways = ['a password', 'OIDC', 'OAuth2 of GitHub’s shape'] as const;
  function personOf(tenant: Tenant, way: (typeof ways)[number]): Person {
    const kindOf = (name: string) =>
      tenant.identityProviders
        .find((provider) => provider.name === name)
        ?.url.split('/')
        .at(-1);
    const kind = way === 'a password' ? undefined : way === 'OIDC' ? 'oidc' : 'devhub';
    const found = tenant.people.find(
      ({ signInWith }) => (signInWith === undefined ? undefined : kindOf(signInWith)) === kind,
    );
    if (!found) throw new Error(`nobody comes in by ${way}`);
    return found;
  }

  describe.each(['acme-corp', 'globex'])('at %s', (tenantId) => {
    const transports = ['HTTP', 'stdio'] as const;
    test.each(ways.flatMap((way) => transports.map((over) => [way, over] as const)))(
      '%s over %s',
      async (way, over) => {
        const tenant = dev.tenants.find(({ tenant_id }) => tenant_id === tenantId)!;
        const person = personOf(tenant, way);
        const answer = over === 'stdio' ? await logInOverStdio(tenant, person) : await logIn(tenant, person, true);
        expect(answer).toMatchObject({
          status: 'authenticated',
          user_info: { email: person.email, tenant_id: tenantId },
          accessible_tools: person.tools,
        });
      },
      60_000,
    );
  });

  test.each(ways)(
    '%s with JavaScript switched off, too',
    async (way) => {
      const tenant = dev.tenants[0]!;
      const person = personOf(tenant, way);
      expect(await logIn(tenant, person, false)).toMatchObject({ accessible_tools: person.tools });
    },
    60_000,
  );

  test('somebody who was never here gets what the rules of the tenant make of the provider’s claims', async () => {
    const tenant = dev.tenants[0]!;
    const person = tenant.people.find(({ email }) => email.startsWith('nia@'))!;
    expect(await logIn(tenant, person, true)).toMatchObject({
      user_info: { email: person.email, roles: ['analyst'], resources: ['analytics'] },
      accessible_tools: person.tools,
    });
    expect(await logIn(tenant, person, true)).toMatchObject({ accessible_tools: person.tools });
  }, 60_000);

  test('somebody of another tenant who is known to the same provider does not come in', async () => {
    const [acme, globex] = [dev.tenants[0]!, dev.tenants[1]!];
    const stranger = personOf(acme, 'OIDC');
    const client = await connectPerson(globex.mcp);
    open.push(client);
    const { structuredContent } = await client.call('oauth_start');
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto((structuredContent as Record<string, string>)['authorization_url']!);
    await page.getByRole('button', { name: 'Continue to sign-in' }).click();
    await page.getByRole('button', { name: `Sign in with ${personOf(globex, 'OIDC').signInWith}` }).click();
    await page.getByLabel('E-mail address').fill(stranger.email);
    await page.getByLabel('Password').fill(stranger.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'This account cannot be used here' }).waitFor();
    await page.getByRole('link', { name: 'Back to sign-in' }).click();
    await page.getByRole('heading', { name: 'Sign in to Globex' }).waitFor();
    await context.close();
  }, 60_000);

  test('at the next start the providers are elsewhere, and their people still themselves', async () => {
    const before = personOf(dev.tenants[0]!, 'OIDC');
    const { directory } = stack;
    const users = await logIn(dev.tenants[0]!, before, true);
    await stack.interrupt();
    stack = startDevProcess({ directory });
    dev = await stack.ready();
    for (const way of ['OIDC', 'OAuth2 of GitHub’s shape'] as const) {
      const person = personOf(dev.tenants[0]!, way);
      expect(await logIn(dev.tenants[0]!, person, true)).toMatchObject({ accessible_tools: person.tools });
    }
    const again = await logIn(dev.tenants[0]!, before, true);
    expect(again?.['user_info']).toEqual(users?.['user_info']);
  }, 120_000);
});
