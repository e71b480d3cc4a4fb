import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { createPostgresAdapter } from '../../src/authorization-server/postgres-adapter.js';
import { createTestPerson, random } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser } from './http-browser.js';
import { asksForPassword, completeLogin } from './login-flow.js';
import {
  createPublicClient,
  logInPublic,
  loopbackUri,
  type PublicTokens,
  pushPublicLogin,
  redeemPublic,
  refreshPublic,
  returnToLoopback,
} from './public-login.js';
import {
  createClient,
  givePassword,
  password,
  post,
  pushLogin,
  startTestServer,
  type TestClient,
  type TestServer,
} from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let email: string;
let userId: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createPublicClient(tenant);
  const person = await createTestPerson(tenant, { scopes: ['read', 'write'] });
  ({ id: userId, email } = person);
  await givePassword(tenant, userId);
});
afterAll(() => server.close());

const sessionOf = (mcpSession: string) => tenant.db.session.findFirstOrThrow({ where: { mcpSession } });
const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: string }).error];

describe('an in-band login of a public client', () => {
  test('ends in a redirect to the loopback address, with code, state and issuer', async () => {
    const { returned } = await returnToLoopback(tenant, client, email, { fields: { state: 'the-state' } });
    expect(`${returned.origin}${returned.pathname}`).toBe(loopbackUri);
    expect(Object.fromEntries(returned.searchParams)).toEqual({
      code: expect.any(String),
      state: 'the-state',
      iss: tenant.issuer,
    });
  });

  test('gives, beside the token that binds it, a refresh token and a token for its own session', async () => {
    const login = await logInPublic(tenant, client, email);
    const { id: sid } = await sessionOf(login.mcpSession);
    expect(decodeJwt(login.access_token)).toMatchObject({ sid, mcp_session: login.mcpSession });
    const claims = decodeJwt(login.session_token);
    expect(claims).toEqual({
      iss: tenant.issuer,
      aud: `${tenant.issuer}/v1`,
      sub: userId,
      client_id: client.clientId,
      tenant_id: tenant.id,
      sid,
      jti: expect.any(String),
      iat: expect.any(Number),
      nbf: claims.iat,
      exp: claims.iat! + login.session_token_expires_in,
    });
    expect(login.session_token_expires_in).toBe(600);
    expect(login.refresh_token).toEqual(expect.any(String));
  });

  test('lasts twelve hours, or fourteen days where it asks to be remembered, which the person reads', async () => {
    const hours = async (mcpSession: string) =>
      Math.round(((await sessionOf(mcpSession)).expiresAt.getTime() - Date.now()) / 3_600_000);
    expect(await hours((await logInPublic(tenant, client, email)).mcpSession)).toBe(12);
    const fields = { remember_login: 'true' };
    expect(await hours((await logInPublic(tenant, client, email, { fields })).mcpSession)).toBe(14 * 24);

    const browser = createHttpBrowser();
    const push = await pushPublicLogin(tenant.issuer, client, fields);
    const form = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
    expect((await browser.press(form, 'Sign in', { email, password })).text).toContain('for up to 14 days');
  });

  test('tells who asks by the address it really comes from', async () => {
    const push = await pushPublicLogin(tenant.issuer, client, { client_address: '203.0.113.9' });
    const { text } = await createHttpBrowser().get(push.authorizationUrl);
    expect(text).toContain('127.0.0.1');
    expect(text).not.toContain('203.0.113.9');
  });

  test('that the person refuses comes back as access_denied', async () => {
    const browser = createHttpBrowser();
    const push = await pushPublicLogin(tenant.issuer, client);
    const form = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
    expect(asksForPassword(form)).toBe(true);
    const { headers } = await browser.press(form, 'Refuse');
    const returned = new URL(headers.get('location')!);
    expect([returned.origin, returned.searchParams.get('error')]).toEqual(['http://127.0.0.1:51234', 'access_denied']);
  });
});

describe('refreshing', () => {
  test('rotates the refresh token and gives a fresh token for the same session', async () => {
    const login = await logInPublic(tenant, client, email);
    const answer = await refreshPublic(tenant.issuer, client, login.refresh_token!);
    expect(answer.status).toBe(200);
    const fresh = (await answer.json()) as PublicTokens;
    expect(fresh.refresh_token).not.toBe(login.refresh_token);
    expect(decodeJwt(fresh.session_token)['sid']).toBe(decodeJwt(login.session_token)['sid']);
    expect(fresh.session_token).not.toBe(login.session_token);
  });

  test('ends with the session', async () => {
    const login = await logInPublic(tenant, client, email);
    const { id: sid } = await sessionOf(login.mcpSession);
    await server.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'logged_out' });
    const answer = await refreshPublic(tenant.issuer, client, login.refresh_token!);
    expect(await errorOf(answer)).toEqual([400, 'invalid_grant']);
  });

  test('is refused to another public client', async () => {
    const login = await logInPublic(tenant, client, email);
    const other = await createPublicClient(tenant);
    expect(await errorOf(await refreshPublic(tenant.issuer, other, login.refresh_token!))).toEqual([
      400,
      'invalid_grant',
    ]);
  });

  test('with a stolen token that was rotated ends the login', async () => {
    const login = await logInPublic(tenant, client, email);
    await refreshPublic(tenant.issuer, client, login.refresh_token!);
    await tenant.db.$executeRaw`
      UPDATE provider_models SET consumed_at = now() - interval '1 minute' WHERE consumed_at IS NOT NULL`;
    expect((await refreshPublic(tenant.issuer, client, login.refresh_token!)).status).toBe(400);
    expect(await sessionOf(login.mcpSession)).toMatchObject({ endedAt: expect.any(Date) });
  });

  test('by two that have the same token, at the same moment at two replicas, ends the login too', async () => {
    const second = `${await server.listenAnother()}/t/${tenant.id}`;
    const login = await logInPublic(tenant, client, email);
    const at = [tenant.issuer, second, tenant.issuer, second];
    const answers = await Promise.all(at.map((issuer) => refreshPublic(issuer, client, login.refresh_token!)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(await sessionOf(login.mcpSession)).toMatchObject({ endedAt: expect.any(Date) });
    for (const answer of answers.filter(({ status }) => status === 200)) {
      const { refresh_token: rotated } = (await answer.json()) as PublicTokens;
      expect((await refreshPublic(tenant.issuer, client, rotated!)).status).toBe(400);
    }
  });

  test('that two have found unused is spent by one, and what the other does ends the login', async () => {
    const ended: string[] = [];
    const adapter = createPostgresAdapter('RefreshToken', {
      db: async () => tenant.db,
      issuer: tenant.issuer,
      findClient: async () => undefined,
      onGrantEnded: async (grantId) => void ended.push(grantId),
      isHeldElsewhere: () => false,
    });
    const [id, grantId] = [random(), random()];
    await adapter.upsert(id, { grantId }, 60);
    await adapter.consume(id);
    expect(ended).toEqual([]);
    await expect(adapter.consume(id)).rejects.toThrow('invalid_grant');
    expect(ended).toEqual([grantId]);
  });
});

describe('a refresh whose answer was lost', () => {
  const attempt = () => randomBytes(16).toString('base64url');
  const refresh = (token: string, named?: string) => refreshPublic(tenant.issuer, client, token, named);
  const tokensOf = async (answer: Response) => ((await answer.json()) as PublicTokens).refresh_token!;

  test('may be asked for again by the same attempt, and what was lost is void', async () => {
    const { refresh_token: first, mcpSession } = await logInPublic(tenant, client, email);
    const named = attempt();
    const lost = await tokensOf(await refresh(first!, named));
    const second = await refresh(first!, named);
    expect(second.status).toBe(200);
    const third = await tokensOf(second);
    expect(third).not.toBe(lost);
    expect((await refresh(lost, attempt())).status).toBe(400);
    expect((await refresh(third, attempt())).status).toBe(200);
    expect(await sessionOf(mcpSession)).toMatchObject({ endedAt: null });
  });

  test.each<[string, (first: string, second: string, named: string) => Promise<Response>]>([
    ['by another attempt', (first) => refresh(first, attempt())],
    ['by nobody in particular', (first) => refresh(first)],
    ['by a name that is none', (first) => refresh(first, 'short')],
    [
      'by the same attempt once what it gave was used',
      async (first, second, named) => {
        expect((await refresh(second, attempt())).status).toBe(200);
        return refresh(first, named);
      },
    ],
  ])('is a second use %s, which ends the login', async (_name, again) => {
    const { refresh_token: first, mcpSession } = await logInPublic(tenant, client, email);
    const named = attempt();
    const second = await tokensOf(await refresh(first!, named));
    expect((await again(first!, second, named)).status).toBe(400);
    expect(await sessionOf(mcpSession)).toMatchObject({ endedAt: expect.any(Date) });
    expect((await refresh(second)).status).toBe(400);
  });

  test('is nothing that anyone could ask for who sees the database', async () => {
    const { refresh_token: first } = await logInPublic(tenant, client, email);
    const named = attempt();
    await refresh(first!, named);
    expect(JSON.stringify(await tenant.db.providerModel.findMany())).not.toContain(named);
  });
});

describe('what a public client may not', () => {
  const hostile: [string, Record<string, string>][] = [
    ['end elsewhere', { redirect_uri: 'https://attacker.example/callback' }],
    ['end at another path of the loopback address', { redirect_uri: 'http://127.0.0.1:51234/other' }],
    ['end at a name for the loopback address', { redirect_uri: 'http://localhost:51234/callback' }],
    ['end at an address that only looks like it', { redirect_uri: 'http://127.0.0.1.attacker.example/callback' }],
    ['end with credentials in the address', { redirect_uri: 'http://127.0.0.1@attacker.example/callback' }],
    ['have its code posted by a form', { response_mode: 'form_post' }],
    ['have the completion page', { response_mode: 'oob' }],
    ['have the completion page of a redirect of its own', { response_mode: 'oob', redirect_uri: '' }],
    ['go without PKCE', { code_challenge: '' }],
    ['go without an MCP session', { mcp_session: '' }],
  ];
  test.each(hostile)('%s', async (_name, fields) => {
    const { response } = await pushPublicLogin(tenant.issuer, client, fields);
    expect(response.status).toBe(400);
  });

  test('have the completion page: not even at the page itself', async () => {
    const { response } = await pushLogin(tenant.issuer, client);
    expect(response.status).toBe(400);
  });

  test('bring an MCP session where nothing stands between the link and the login', async () => {
    const fields = {
      client_id: client.clientId,
      response_type: 'code',
      redirect_uri: loopbackUri,
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      mcp_session: 'm'.repeat(22),
    };
    expect((await post(`${tenant.issuer}/request`, fields)).status).toBe(400);
    const direct = await createHttpBrowser().get(`${tenant.issuer}/auth?${new URLSearchParams(fields)}`);
    expect(new URL(direct.headers.get('location')!).searchParams.get('error')).toBe('invalid_request');
  });

  test('redeem a code twice, at another redirect, or without its verifier', async () => {
    const wrong = await returnToLoopback(tenant, client, email);
    const other = { ...wrong, pkce: { ...wrong.pkce, verifier: 'x'.repeat(43) } };
    expect((await redeemPublic(tenant.issuer, client, other)).status).toBe(400);
    expect((await redeemPublic(tenant.issuer, client, wrong)).status).toBe(200);
    expect((await redeemPublic(tenant.issuer, client, wrong)).status).toBe(400);
  });

  test('get a token of its own by client credentials', async () => {
    const fields = { grant_type: 'client_credentials', client_id: client.clientId };
    expect((await post(`${tenant.issuer}/token`, fields)).status).toBe(400);
  });

  test('stay signed in across restarts where it may not refresh', async () => {
    const plain = await createPublicClient(tenant, { grantTypes: ['authorization_code'] });
    const login = await logInPublic(tenant, plain, email, { fields: { remember_login: 'true' } });
    expect(login.refresh_token).toBeUndefined();
    const { expiresAt } = await sessionOf(login.mcpSession);
    expect(expiresAt.getTime()).toBeLessThan(Date.now() + 13 * 3_600_000);
  });
});

describe('the completion page', () => {
  test('is a public client’s only where its application says so, and never with a token to paste', async () => {
    const onPage = await createPublicClient(tenant, { completionPage: true });
    const { response } = await pushLogin(tenant.issuer, onPage);
    expect(response.status).toBe(201);
    expect(await response.json()).not.toHaveProperty('paste_token');
    await expect(createPublicClient(tenant, { completionPage: true, pasteToken: true })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    // Whatever its row says.
    await tenant.db.application.update({ where: { id: onPage.id }, data: { pasteToken: true } });
    const login = await completeLogin(tenant, onPage, email);
    expect(await login.response.json()).not.toHaveProperty('paste_token');
    expect(login.code).not.toBe('');
    expect(login.page.text).not.toMatch(/<details|eyJ/);
  });

  test('and a name for this machine are not where an in-band login ends: it may lead elsewhere', async () => {
    const named = await createPublicClient(tenant, { redirectUris: ['http://localhost/callback'] });
    const fields = { redirect_uri: 'http://localhost:51234/callback' };
    const { response } = await pushPublicLogin(tenant.issuer, named, fields);
    expect(await errorOf(response)).toEqual([400, 'invalid_request']);
  });

  test('is refused to a confidential client that demands loopback', async () => {
    const secret = await createClient(tenant, { completionPage: false, redirectUris: ['http://127.0.0.1/callback'] });
    expect((await pushLogin(tenant.issuer, secret)).response.status).toBe(400);
    const loopback = await pushLogin(tenant.issuer, secret, { response_mode: 'query', redirect_uri: loopbackUri });
    expect(loopback.response.status).toBe(201);
  });
});
