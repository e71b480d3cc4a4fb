import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser, hiddenOf, type HttpBrowser } from './http-browser.js';
import { asksForPassword, type Tokens } from './login-flow.js';
import {
  createClient,
  createPkce,
  givePassword,
  password,
  post,
  startTestServer,
  type Pkce,
  type TestClient,
  type TestServer,
} from './test-server.js';

const back = 'https://app.example.test/back';

let server: TestServer;
let tenant: TestTenant;
let web: TestClient;
let native: TestClient;
let email: string;
let userId: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  const grantTypes = ['authorization_code', 'refresh_token'] as const;
  web = await createClient(tenant, { completionPage: false, redirectUris: [back], grantTypes });
  const loopback = ['http://127.0.0.1/callback'];
  native = await createClient(tenant, {
    completionPage: false,
    publicClient: true,
    redirectUris: loopback,
    grantTypes,
  });
  const person = await createTestPerson(tenant, { scopes: ['read', 'write'] });
  ({ id: userId, email } = person);
  await givePassword(tenant, userId);
});
afterAll(() => server.close());

interface AuthorizeOptions {
  readonly client?: TestClient;
  readonly browser?: HttpBrowser;
  readonly pkce?: Pkce;
  readonly fields?: Record<string, string>;
}

/** Opens the authorization endpoint with a valid request, changed by the fields; an empty one is left out. */
function authorize({
  client = web,
  browser = createHttpBrowser(),
  pkce = createPkce(),
  fields = {},
}: AuthorizeOptions = {}) {
  const all = {
    client_id: client.clientId,
    response_type: 'code',
    redirect_uri: back,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    state: 'st',
    scope: 'read',
    ...fields,
  };
  const kept = Object.entries(all).filter(([, value]) => value !== '');
  return browser.get(`${tenant.issuer}/auth?${new URLSearchParams(kept)}`);
}

/** The whole login; the parameters that came back to the client. */
async function logIn(options: AuthorizeOptions = {}): Promise<URL> {
  const { browser = createHttpBrowser() } = options;
  let page = await authorize({ ...options, browser });
  if (asksForPassword(page)) page = await browser.press(page, 'Sign in', { email, password });
  page = await browser.press(page, 'Approve');
  expect(page.status).toBe(303);
  return new URL(page.headers.get('location')!);
}

async function tokensOf(client: TestClient, fields: Record<string, string>): Promise<Tokens> {
  const answer = await post(`${tenant.issuer}/token`, fields, client.clientSecret === '' ? undefined : client.basic);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

async function tokens(client: TestClient, options: AuthorizeOptions = {}): Promise<Tokens> {
  const pkce = createPkce();
  const redirectUri = options.fields?.['redirect_uri'] ?? back;
  const returned = await logIn({ ...options, client, pkce });
  return tokensOf(client, {
    grant_type: 'authorization_code',
    client_id: client.clientId,
    code: returned.searchParams.get('code')!,
    redirect_uri: redirectUri,
    code_verifier: pkce.verifier,
  });
}

const loopbackUri = 'http://127.0.0.1:51234/callback';

describe('a login that ends in a redirect', () => {
  test('brings back code, state and issuer, and a token with what was asked for, may be asked for and is held', async () => {
    const returned = await logIn();
    expect(`${returned.origin}${returned.pathname}`).toBe(back);
    expect(Object.fromEntries(returned.searchParams)).toEqual({
      code: expect.any(String),
      state: 'st',
      iss: tenant.issuer,
    });
    const { access_token: token } = await tokens(web, { fields: { scope: 'read write calculate' } });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ sub: userId, scopes: ['read'], scope: 'read', aud: 'https://mcp.example.test/mcp' });
    expect(claims).not.toHaveProperty('mcp_session');
    const session = await tenant.db.session.findUniqueOrThrow({ where: { id: String(claims['sid']) } });
    expect(session).toMatchObject({ scopes: ['read'], mcpSession: null });
  });

  test('works for a person who holds none of the scopes, with an empty list', async () => {
    const { access_token: token } = await tokens(web, { fields: { scope: '' } });
    expect(decodeJwt(token)).toMatchObject({ scopes: [] });
  });

  test('of a native application may come back to any loopback port', async () => {
    const { access_token: token } = await tokens(native, { fields: { redirect_uri: loopbackUri } });
    expect(decodeJwt(token)).toMatchObject({ client_id: native.clientId });
  });

  test('is not finished silently: each is approved', async () => {
    const browser = createHttpBrowser();
    await logIn({ browser });
    const silent = await authorize({ browser, fields: { prompt: 'none' } });
    const returned = new URL(silent.headers.get('location')!);
    expect(Object.fromEntries(returned.searchParams)).toMatchObject({ error: 'consent_required', state: 'st' });
  });

  test('gives an ID token by ES256 where openid was asked for, which is no access token anywhere', async () => {
    const { id_token: idToken = '' } = await tokens(web, { fields: { scope: 'openid read', nonce: 'n' } });
    const keys = createRemoteJWKSet(new URL(`${tenant.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(idToken, keys);
    expect(protectedHeader.alg).toBe('ES256');
    expect(protectedHeader.typ).not.toBe('at+jwt');
    expect(payload).toMatchObject({ iss: tenant.issuer, aud: web.clientId, sub: userId, nonce: 'n' });
    const introspected = await post(`${tenant.issuer}/introspection`, { token: idToken }, web.basic);
    expect(await introspected.json()).toEqual({ active: false });
    const api = await fetch(`${server.url}/v1/sessions`, { headers: { authorization: `Bearer ${idToken}` } });
    expect(api.status).toBe(401);
  });

  test('is finished once by three requests that go on at the same moment', async () => {
    const browser = createHttpBrowser();
    const page = await authorize({ browser });
    const approval = asksForPassword(page) ? await browser.press(page, 'Sign in', { email, password }) : page;
    const before = await tenant.db.session.count({ where: { userId } });
    const posted = await browser.send(approval.url, { csrf: hiddenOf(approval, 'csrf')!, action: 'approve' });
    const next = /content="0;url=([^"]*)"/.exec(posted.text)![1]!;
    // All three have found the interaction before any of them can take it.
    const ends = await tenant.db.$transaction(
      async (transaction) => {
        await transaction.$queryRaw`SELECT 1 FROM provider_models WHERE model = 'Interaction' FOR UPDATE`;
        const requests = [1, 2, 3].map(() => browser.get(next));
        for (let waiting = 0n; waiting < 3n;) {
          const [row] = await server.container.master.$queryRaw<{ waiting: bigint }[]>`
            SELECT count(*) AS waiting FROM pg_stat_activity
             WHERE datname = ${`tenant_${tenant.id}`} AND wait_event_type = 'Lock'`;
          waiting = row!.waiting;
        }
        return { requests };
      },
      { timeout: 30_000 },
    );
    const pages = await Promise.all(ends.requests);
    expect(pages.filter(({ headers }) => headers.get('location')?.includes('code='))).toHaveLength(1);
    expect(await tenant.db.session.count({ where: { userId } })).toBe(before + 1);
  });
});

describe('the authorization endpoint never redirects', () => {
  test.each([
    ['to a URI that is not registered', { redirect_uri: 'https://evil.test/' }],
    ['to a registered one with something added', { redirect_uri: `${back}/../../evil` }],
    ['to a registered one as user name', { redirect_uri: 'https://app.example.test@evil.test/back' }],
    ['to another port', { redirect_uri: 'https://app.example.test:8443/back' }],
    ['to a script', { redirect_uri: 'javascript:alert(1)' }],
    ['without a URI', { redirect_uri: '' }],
    ['for an unknown client', { client_id: 'nobody' }],
    ['for a client with a NUL', { client_id: 'a\0b' }],
  ])('%s', async (_what, fields) => {
    const errors: Record<string, string>[] = [
      {},
      { response_type: 'token' },
      { prompt: 'none' },
      { response_mode: 'oob' },
    ];
    for (const error of errors) {
      const page = await authorize({ fields: { ...error, ...(fields as Record<string, string>) } });
      expect([page.status, page.headers.get('location')]).toEqual([expect.any(Number), null]);
      expect(page.status).toBeGreaterThanOrEqual(400);
      expect(page.text).not.toContain('evil.test');
      expect(page.text).not.toContain('http-equiv="refresh"');
    }
  });
});

describe('the authorization endpoint refuses', () => {
  test.each([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'invalid_request'],
    ['the hybrid flow', { response_type: 'code id_token', response_mode: 'query' }, 'invalid_request'],
    ['fragments', { response_mode: 'fragment' }, 'invalid_request'],
    ['a foreign resource', { resource: 'https://other.test/' }, 'invalid_target'],
    ['the API as resource', { resource: 'API' }, 'invalid_target'],
    ['an MCP session that was not pushed', { mcp_session: 'x'.repeat(22) }, 'invalid_request'],
    ['a client name that was not pushed', { client_name: 'Bank' }, 'invalid_request'],
    ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
    ['registration', { registration: '{}' }, 'registration_not_supported'],
  ])('%s', async (_what, fields, error) => {
    const given = fields as Record<string, string>;
    const sent = given['resource'] === 'API' ? { resource: `${tenant.issuer}/v1` } : given;
    const page = await authorize({ fields: sent });
    const returned = new URL(page.headers.get('location')!);
    expect(`${returned.origin}${returned.pathname}`).toBe(back);
    const parameters = returned.hash ? new URLSearchParams(returned.hash.slice(1)) : returned.searchParams;
    expect(parameters.get('error')).toBe(error);
    expect(parameters.get('code')).toBeNull();
  });

  test('a POST', async () => {
    expect((await post(`${tenant.issuer}/auth`, { client_id: web.clientId })).status).toBe(404);
  });

  test('the completion page to a client that is not allowed it, without and with an error', async () => {
    const others: Record<string, string>[] = [{}, { prompt: 'none' }, { response_type: 'token' }];
    for (const fields of others) {
      const page = await authorize({ fields: { response_mode: 'oob', ...fields } });
      expect(page.status).toBe(400);
      expect(page.text).not.toContain('id="code"');
      expect(page.text).not.toContain('You are signed in');
    }
    const pushed = await post(
      `${tenant.issuer}/request`,
      {
        client_id: web.clientId,
        response_type: 'code',
        response_mode: 'oob',
        redirect_uri: back,
        code_challenge: createPkce().challenge,
        code_challenge_method: 'S256',
      },
      web.basic,
    );
    expect([pushed.status, await pushed.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('an application with the completion page that did not push its request', async () => {
    const paged = await createClient(tenant);
    const page = await authorize({
      client: paged,
      fields: { response_mode: 'oob', redirect_uri: `${tenant.issuer}/completion`, mcp_session: 'x'.repeat(22) },
    });
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('id="code"');
  });

  test('the completion page to a pushed request without an MCP session', async () => {
    const paged = await createClient(tenant);
    const pushed = await post(
      `${tenant.issuer}/request`,
      {
        client_id: paged.clientId,
        response_type: 'code',
        response_mode: 'oob',
        redirect_uri: `${tenant.issuer}/completion`,
        code_challenge: createPkce().challenge,
        code_challenge_method: 'S256',
      },
      paged.basic,
    );
    const { request_uri: requestUri } = (await pushed.json()) as { request_uri: string };
    const browser = createHttpBrowser();
    const query = new URLSearchParams({ client_id: paged.clientId, request_uri: requestUri });
    let page = await browser.get(`${tenant.issuer}/auth?${query}`);
    page = await browser.press(page, 'Sign in', { email, password });
    page = await browser.press(page, 'Approve');
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('id="code"');
  });
});

describe('refresh tokens', () => {
  const refresh = (client: TestClient, token: string) =>
    post(
      `${tenant.issuer}/token`,
      { grant_type: 'refresh_token', refresh_token: token, client_id: client.clientId },
      client.clientSecret === '' ? undefined : client.basic,
    );

  test('of a confidential client stay, and give what the person holds now', async () => {
    const person = await createTestPerson(tenant, { scopes: ['read'] });
    await givePassword(tenant, person.id);
    const browser = createHttpBrowser();
    const pkce = createPkce();
    let page = await authorize({ browser, pkce });
    page = await browser.press(page, 'Sign in', { email: person.email, password });
    page = await browser.press(page, 'Approve');
    const first = await tokensOf(web, {
      grant_type: 'authorization_code',
      code: new URL(page.headers.get('location')!).searchParams.get('code')!,
      redirect_uri: back,
      code_verifier: pkce.verifier,
    });
    expect(decodeJwt(first.access_token)).toMatchObject({ scopes: ['read'] });
    const less = await tokensOf(web, {
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token!,
      scope: 'authsec:login',
    });
    expect(decodeJwt(less.access_token)).toMatchObject({ scopes: [] });
    await tenant.db.userScope.deleteMany({ where: { userId: person.id } });
    const answer = (await (await refresh(web, first.refresh_token!)).json()) as Tokens;
    expect(answer.refresh_token).toBe(first.refresh_token);
    expect(decodeJwt(answer.access_token)).toMatchObject({ scopes: [], sid: decodeJwt(first.access_token)['sid'] });
  });

  test('of a public client rotate, and one used twice ends the login', async () => {
    const { refresh_token: first = '', access_token: token } = await tokens(native, {
      fields: { redirect_uri: loopbackUri },
    });
    const second = ((await (await refresh(native, first)).json()) as Tokens).refresh_token!;
    expect(second).not.toBe(first);
    expect((await refresh(native, first)).status).toBe(400);
    expect((await refresh(native, second)).status).toBe(400);
    const session = await tenant.db.session.findUnique({ where: { id: String(decodeJwt(token)['sid']) } });
    expect(session?.endReason).toBe('revoked');
  });

  test('of a public client are used once by four requests at the same moment', async () => {
    const { refresh_token: token = '' } = await tokens(native, { fields: { redirect_uri: loopbackUri } });
    const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(native, token)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  test('end with the session, with the application and with the account', async () => {
    const { refresh_token: token = '', access_token: accessToken } = await tokens(web);
    const sid = String(decodeJwt(accessToken)['sid']);
    await server.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'revoked' });
    expect((await refresh(web, token)).status).toBe(400);
  });

  test('of one client are nothing to another', async () => {
    const { refresh_token: token = '' } = await tokens(web);
    const other = await createClient(tenant, {
      completionPage: false,
      redirectUris: [back],
      grantTypes: ['authorization_code', 'refresh_token'],
    });
    expect((await refresh(other, token)).status).toBe(400);
    expect((await refresh(web, token)).status).toBe(200);
  });

  test('are not given to an application that has no such grant', async () => {
    const plain = await createClient(tenant, { completionPage: false, redirectUris: [back] });
    expect(await tokens(plain)).not.toHaveProperty('refresh_token');
  });
});
