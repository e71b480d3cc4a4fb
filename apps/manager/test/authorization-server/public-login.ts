import { createHttpBrowser, type BrowserPage, type HttpBrowser } from './http-browser.js';
import { asksForPassword, type FlowTenant, type Tokens } from './login-flow.js';
import { createClient, password, post, pushLogin, type Push, type TestClient } from './test-server.js';
import type { NewApplication } from '../../src/modules/applications/application.js';
import type { TestTenant } from '../support/test-manager.js';

/** Where a program on the person's machine listens: any port of what is registered. */
export const loopbackUri = 'http://127.0.0.1:51234/callback';

export interface PublicTokens extends Tokens {
  readonly session_token: string;
  readonly session_token_expires_in: number;
}

/** A program on the person's own machine: no secret, ends on loopback. */
export async function createPublicClient(
  tenant: TestTenant,
  input: Partial<NewApplication> = {},
): Promise<Omit<TestClient, 'basic'> & { readonly basic: never }> {
  const client = await createClient(tenant, {
    publicClient: true,
    completionPage: false,
    redirectUris: ['http://127.0.0.1/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    ...input,
  });
  return { ...client, basic: undefined as never };
}

export function pushPublicLogin(
  issuer: string,
  client: TestClient,
  fields: Record<string, string> = {},
): Promise<Push> {
  return pushLogin(issuer, client, { response_mode: 'query', redirect_uri: loopbackUri, ...fields });
}

export interface ReturnedLogin extends Push {
  readonly page: BrowserPage;
  /** What the listener is called with. */
  readonly returned: URL;
}

/** From the push to the redirect that leaves the Manager. */
export async function returnToLoopback(
  { issuer }: FlowTenant,
  client: TestClient,
  email: string,
  { fields = {}, browser = createHttpBrowser() }: { fields?: Record<string, string>; browser?: HttpBrowser } = {},
): Promise<ReturnedLogin> {
  const push = await pushPublicLogin(issuer, client, fields);
  if (push.response.status !== 201) throw new Error(`not pushed: ${await push.response.text()}`);
  let page = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
  if (asksForPassword(page)) page = await browser.press(page, 'Sign in', { email, password });
  page = await browser.press(page, 'Approve');
  const location = page.headers.get('location');
  if (location === null) throw new Error(`no redirect: ${page.status} ${page.text}`);
  return { ...push, page, returned: new URL(location) };
}

export function redeemPublic(issuer: string, client: TestClient, login: ReturnedLogin): Promise<Response> {
  return post(`${issuer}/token`, {
    grant_type: 'authorization_code',
    client_id: client.clientId,
    code: login.returned.searchParams.get('code') ?? '',
    redirect_uri: loopbackUri,
    code_verifier: login.pkce.verifier,
  });
}

export function refreshPublic(
  issuer: string,
  client: TestClient,
  refreshToken: string,
  attempt?: string,
): Promise<Response> {
  return post(`${issuer}/token`, {
    grant_type: 'refresh_token',
    client_id: client.clientId,
    refresh_token: refreshToken,
    ...(attempt !== undefined && { refresh_attempt: attempt }),
  });
}

export async function logInPublic(
  tenant: FlowTenant,
  client: TestClient,
  email: string,
  options: { fields?: Record<string, string>; browser?: HttpBrowser } = {},
): Promise<ReturnedLogin & PublicTokens> {
  const login = await returnToLoopback(tenant, client, email, options);
  const answer = await redeemPublic(tenant.issuer, client, login);
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return { ...login, ...((await answer.json()) as PublicTokens) };
}
