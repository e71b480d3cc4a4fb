import { createHttpBrowser, textOf, type BrowserPage, type HttpBrowser } from './http-browser.js';
import { password, pushLogin, redeem, type Push, type TestClient } from './test-server.js';

export interface FlowTenant {
  readonly issuer: string;
}

export interface CompletedLogin extends Push {
  readonly browser: HttpBrowser;
  readonly page: BrowserPage;
  readonly code: string;
}

/** From `oauth_start` to the code on the page. A browser that is signed in already is not asked for the password. */
export async function completeLogin(
  { issuer }: FlowTenant,
  client: TestClient,
  email: string,
  options: { readonly browser?: HttpBrowser; readonly fields?: Record<string, string> } = {},
): Promise<CompletedLogin> {
  const { browser = createHttpBrowser(), fields = {} } = options;
  const push = await pushLogin(issuer, client, fields);
  let page = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
  if (asksForPassword(page)) page = await browser.press(page, 'Sign in', { email, password });
  page = await browser.press(page, 'Approve');
  return { ...push, browser, page, code: textOf(page, 'code') ?? '' };
}

export function asksForPassword(page: BrowserPage): boolean {
  return page.text.includes('name="password"');
}

export interface Tokens {
  readonly access_token: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** The whole way: the tokens of an in-band login. */
export async function logIn(
  tenant: FlowTenant,
  client: TestClient,
  email: string,
  options: { readonly browser?: HttpBrowser; readonly fields?: Record<string, string> } = {},
): Promise<Tokens & CompletedLogin> {
  const login = await completeLogin(tenant, client, email, options);
  const answer = await redeem(tenant.issuer, client, { code: login.code, verifier: login.pkce.verifier });
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return { ...login, ...((await answer.json()) as Tokens) };
}
