import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { type OAuthService, startOAuthService } from '../support/oauth-service.js';
import { type DevProcess, makeStateDirectory, removeStateDirectory, startDevProcess } from './dev-process.js';
import { connectSignedIn } from './log-in.js';
import { errorOf, type McpPerson } from './mcp-person.js';
import { findChromium, launchBrowser } from './sign-in.js';
import { connectAdmin, type TenantAdmin } from './tenant-admin.js';

type Tenant = DevFile['tenants'][number];

const chromium = findChromium();
const suite = chromium ? describe : describe.skip;

suite('a tool acts with the account that its person connected', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let tenant: Tenant;
  let browser: Browser;
  let oauth: OAuthService;
  let admin: TenantAdmin;
  let serviceId: string;
  const open: McpPerson[] = [];

  beforeAll(async () => {
    stack = startDevProcess({ directory: await makeStateDirectory() });
    [dev, browser, oauth] = await Promise.all([stack.ready(), launchBrowser(chromium ?? ''), startOAuthService()]);
    tenant = dev.tenants.find(({ tenant_id }) => tenant_id === 'acme-corp')!;
    admin = await connectAdmin(dev.manager.url, tenant);
    serviceId = await replaceGitHub();
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((client) => client.close().catch(() => {})));
    await browser?.close();
    await oauth?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
  }, 60_000);

  /** The service of the development stack, as one where each person has an account of their own. */
  async function replaceGitHub(): Promise<string> {
    const { services } = (await admin.request('GET', 'services')) as {
      services: { id: string; name: string; applications: string[] }[];
    };
    const before = services.find(({ name }) => name === 'github')!;
    await admin.request('DELETE', `services/${before.id}`);
    const { clientId, clientSecret, redirectTo } = oauth.newClient();
    const made = (await admin.request('POST', 'services', {
      name: 'github',
      base_url: `${oauth.origin}/api`,
      settings: { kind: 'oauth2_authorization_code', ...oauth.settings, client_id: clientId, scope: 'repo' },
      secret: { client_secret: clientSecret },
      requirement: {},
      applications: before.applications,
      public_clients: true,
      allow_private_addresses: true,
    })) as { id: string };
    redirectTo(`${tenant.issuer}/connect/callback/${made.id}`);
    return made.id;
  }

  const personOf = (name: string) => tenant.people.find(({ email }) => email.startsWith(`${name}@`))!;
  async function connect(name: string): Promise<McpPerson> {
    const client = await connectSignedIn(browser, tenant.mcp, personOf(name));
    open.push(client);
    return client;
  }
  async function refusedWithLink(client: McpPerson): Promise<string> {
    const answer = await client.call('list_repositories');
    expect(errorOf(answer)).toBe('service_not_connected');
    return String(/https?:[^\s"\\]*\/connect\/[\w-]{43}/.exec(JSON.stringify(answer))?.[0]);
  }
  async function openLink(context: BrowserContext, url: string, name: string): Promise<Page> {
    const { email, password, signInWith } = personOf(name);
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    if (signInWith) await page.getByRole('button', { name: `Sign in with ${signInWith}` }).click();
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    return page;
  }

  test('from the refused call by the link to the answer, and never the token', async () => {
    const client = await connect('ada');
    const context = await browser.newContext();
    const page = await openLink(context, await refusedWithLink(client), 'ada');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('heading', { name: 'Your account is connected' }).waitFor();
    await context.close();

    const answer = await client.call('list_repositories');
    expect(answer.structuredContent).toEqual({
      repositories: [{ full_name: 'octocat/dotfiles', description: null, private: true }],
    });
    const { authorization = '' } = oauth.requests.findLast(({ path }) => path.startsWith('/api/'))!;
    const token = authorization.replace('Bearer ', '');
    expect(await oauth.holderOf(token)).toBe('octocat');
    expect(`${JSON.stringify(answer)}${stack.output()}`).not.toContain(token);

    const userId = await admin.userId(personOf('ada').email);
    await admin.request('DELETE', `services/${serviceId}/connections/${userId}`);
    expect(await oauth.holderOf(token)).toBeUndefined();
    await refusedWithLink(client);
  }, 120_000);

  test('a link that travels to another person connects nothing', async () => {
    const client = await connect('ada');
    const context = await browser.newContext();
    const page = await openLink(context, await refusedWithLink(client), 'dev');
    await page.getByText('was made for somebody else').waitFor();
    expect(await page.getByRole('button', { name: 'Connect', exact: true }).count()).toBe(0);
    await context.close();
    expect(await admin.request('GET', `services/${serviceId}/connections`)).toEqual({ connections: [] });
    await refusedWithLink(await connect('dev'));
  }, 120_000);
});
