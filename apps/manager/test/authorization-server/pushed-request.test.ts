import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser, textOf, type BrowserPage, type HttpBrowser } from './http-browser.js';
import {
  createClient,
  createPkce,
  givePassword,
  password,
  post,
  redeem,
  startTestServer,
  type TestClient,
  type TestServer,
} from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let email: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createClient(tenant);
  const person = await createTestPerson(tenant);
  await givePassword(tenant, person.id);
  ({ email } = person);
});
afterAll(() => server.close());

/** RFC 9126: what stays at the provider for 60 s. */
async function push(more: Record<string, string> = {}) {
  const pkce = createPkce();
  const mcpSession = randomBytes(16).toString('base64url');
  const fields = {
    client_id: client.clientId,
    response_type: 'code',
    response_mode: 'oob',
    redirect_uri: `${tenant.issuer}/completion`,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    state: 'pushed',
    mcp_session: mcpSession,
    ...more,
  };
  const response = await post(`${tenant.issuer}/request`, fields, client.basic);
  const { request_uri: requestUri = '' } = (await response.json()) as { request_uri?: string };
  return { status: response.status, requestUri, pkce, mcpSession };
}

function authorize(browser: HttpBrowser, fields: Record<string, string>): Promise<BrowserPage> {
  return browser.get(`${tenant.issuer}/auth?${new URLSearchParams(fields)}`);
}

async function complete(browser: HttpBrowser, page: BrowserPage): Promise<BrowserPage> {
  return browser.press(await browser.press(page, 'Sign in', { email, password }), 'Approve');
}

const isOfLogin = (page: BrowserPage) => page.text.includes('name="password"');

describe('a pushed request', () => {
  test('is not changed by what stands beside it: it ends where, and for whom, it was pushed', async () => {
    const { requestUri, pkce, mcpSession } = await push();
    const browser = createHttpBrowser();
    const page = await authorize(browser, {
      client_id: client.clientId,
      request_uri: requestUri,
      redirect_uri: 'https://evil.example.test/',
      response_mode: 'query',
      state: 'forged',
      mcp_session: 'B'.repeat(22),
      code_challenge: createPkce().challenge,
      client_name: 'Forged name',
      requested_at: '1',
      scope: 'openid forged',
    });
    const approval = await browser.press(page, 'Sign in', { email, password });
    expect(approval.text).not.toMatch(/forged/i);
    const end = await browser.press(approval, 'Approve');
    const tokens = await redeem(tenant.issuer, client, { code: textOf(end, 'code')!, verifier: pkce.verifier });
    const { access_token: token } = (await tokens.json()) as { access_token: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    expect(claims.mcp_session).toBe(mcpSession);
  });

  test('is not silent because somebody adds prompt=none', async () => {
    const browser = createHttpBrowser();
    const first = await push();
    const known = await authorize(browser, { client_id: client.clientId, request_uri: first.requestUri });
    expect(textOf(await complete(browser, known), 'code')).toBeDefined();
    const { requestUri } = await push();
    const page = await authorize(browser, { client_id: client.clientId, request_uri: requestUri, prompt: 'none' });
    expect(page.text).toContain('Approve this sign-in?');
    expect(textOf(page, 'code')).toBeUndefined();
  });

  test('with prompt=none in it gives no code to a browser that is signed in', async () => {
    const browser = createHttpBrowser();
    const first = await push();
    await complete(browser, await authorize(browser, { client_id: client.clientId, request_uri: first.requestUri }));
    const { requestUri } = await push({ prompt: 'none' });
    const page = await authorize(browser, { client_id: client.clientId, request_uri: requestUri });
    expect(page.status).toBe(400);
    expect(textOf(page, 'code')).toBeUndefined();
  });

  test('is worth nothing to another client', async () => {
    const other = await createClient(tenant);
    const { requestUri } = await push();
    const page = await authorize(createHttpBrowser(), { client_id: other.clientId, request_uri: requestUri });
    expect([page.status, isOfLogin(page)]).toEqual([400, false]);
  });

  test('is good for one login: what comes back to it afterwards gets no code', async () => {
    const { requestUri } = await push();
    const query = { client_id: client.clientId, request_uri: requestUri };
    const [one, two] = [createHttpBrowser(), createHttpBrowser()];
    const [first, second] = [await authorize(one, query), await authorize(two, query)];
    expect(textOf(await complete(one, first), 'code')).toBeDefined();
    expect(textOf(await complete(two, second), 'code')).toBeUndefined();
    expect(isOfLogin(await authorize(createHttpBrowser(), query))).toBe(false);
  });

  test.each<[string, Record<string, string>]>([
    ['a foreign redirect_uri', { redirect_uri: 'https://evil.example.test/' }],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['another request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }],
    ['a time of its own', { requested_at: '1' }],
    ['response_mode fragment', { response_mode: 'fragment' }],
    ['response_mode form_post', { response_mode: 'form_post' }],
    ['response_type token', { response_type: 'token' }],
    ['code_challenge_method plain', { code_challenge_method: 'plain' }],
    ['another resource', { resource: 'https://other.example.test/' }],
  ])('with %s is refused', async (_what, fields) => {
    expect((await push(fields)).status).toBe(400);
  });
});
