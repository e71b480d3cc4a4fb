import { Writable } from 'node:stream';
import { identityProviderSettingsSchema, type IdentityProviderSettings } from '@authsec/manager-client/contract';
import type { z } from 'zod';
import { createLogger } from '../../src/integrations/logger.js';
import { callbackUrlOf, secretBinding } from '../../src/modules/identity-providers/identity-provider.js';
import { createHttpBrowser, type BrowserPage, type HttpBrowser } from '../authorization-server/http-browser.js';
import {
  createClient,
  pushLogin,
  startTestServer,
  type Push,
  type TestClient,
  type TestServer,
} from '../authorization-server/test-server.js';
import type { TestTenant } from '../support/test-manager.js';
import type { EvilIssuer } from './evil-provider.js';

export type LogLine = Readonly<Record<string, unknown>>;

export interface ProviderTest {
  readonly server: TestServer;
  /** What the Manager has logged from level warn on. */
  readonly log: LogLine[];
  newTenant(): Promise<{ tenant: TestTenant; client: TestClient }>;
}

/** A Manager that may reach providers on this machine. */
export async function startProviderTest(): Promise<ProviderTest> {
  const log: LogLine[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString('utf8').split('\n')) if (line) log.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  const logger = createLogger('warn', destination);
  const server = await startTestServer({ logger }, { AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1' });
  return {
    server,
    log,
    async newTenant() {
      const tenant = await server.createTenant();
      return { tenant, client: await createClient(tenant) };
    },
  };
}

export interface TestProvider {
  readonly id: string;
  readonly callbackUrl: string;
}

type Settings = z.input<typeof identityProviderSettingsSchema>;

export async function addProvider(
  { server }: ProviderTest,
  tenant: TestTenant,
  issuer: EvilIssuer,
  options: { readonly name: string; readonly kind?: 'oidc' | 'oauth2'; readonly settings?: Settings },
): Promise<TestProvider> {
  const { name, kind = 'oidc', settings = {} } = options;
  const id = crypto.randomUUID();
  const { sealer } = server.container;
  const oauth2 = {
    authorization_endpoint: `${issuer.url}/authorize`,
    token_endpoint: `${issuer.url}/token`,
    userinfo_endpoint: `${issuer.url}/user`,
    emails_endpoint: `${issuer.url}/user/emails`,
  };
  const parsed: IdentityProviderSettings = identityProviderSettingsSchema.parse({
    new_people: 'create',
    ...(kind === 'oauth2' && { oauth2, token_endpoint_auth_method: 'client_secret_post' }),
    ...settings,
  });
  await tenant.db.identityProvider.create({
    data: {
      id,
      name,
      kind,
      issuer: issuer.url,
      clientId: issuer.clientId,
      sealedClientSecret: sealer.seal(issuer.clientSecret, secretBinding(tenant.id, id)),
      settings: parsed,
    },
  });
  return { id, callbackUrl: callbackUrlOf(tenant.issuer, id) };
}

export interface OpenLogin extends Push {
  readonly browser: HttpBrowser;
  /** The page with the ways to sign in. */
  readonly page: BrowserPage;
}

export async function openLogin(
  tenant: TestTenant,
  client: TestClient,
  browser: HttpBrowser = createHttpBrowser(),
): Promise<OpenLogin> {
  const push = await pushLogin(tenant.issuer, client);
  const page = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
  return { ...push, browser, page };
}

/** Presses the provider's button: the URL at the provider, or the page that came instead. */
export async function leaveFor(
  { browser, page }: Pick<OpenLogin, 'browser' | 'page'>,
  name: string,
): Promise<{ readonly url: string } | { readonly page: BrowserPage }> {
  const answer = await browser.press(page, name);
  const url = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&');
  return url === undefined ? { page: answer } : { url };
}

/** What the provider sends the browser back to. */
export async function visitProvider(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  const location = answer.headers.get('location');
  if (location === null) throw new Error(`the provider did not send back: ${answer.status}`);
  return location;
}

/** To the provider and back: the page that this ends on. */
export async function signInThrough(login: Pick<OpenLogin, 'browser' | 'page'>, name: string): Promise<BrowserPage> {
  const left = await leaveFor(login, `Sign in with ${name}`);
  return 'page' in left ? left.page : login.browser.get(await visitProvider(left.url));
}

export function asksForApproval(page: BrowserPage): boolean {
  return page.status === 200 && page.text.includes('Approve this sign-in?');
}
