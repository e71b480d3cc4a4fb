import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { createTestPerson, random } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { textOf } from './http-browser.js';
import { completeLogin, type CompletedLogin, type Tokens } from './login-flow.js';
import {
  createClient,
  givePassword,
  post,
  pushLogin,
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
  client = await createClient(tenant, { pasteToken: true });
  const person = await createTestPerson(tenant, { scopes: ['read'] });
  email = person.email;
  await givePassword(tenant, person.id);
});
afterAll(() => server.close());

interface PastedLogin extends CompletedLogin {
  readonly token: string;
}

async function complete(): Promise<PastedLogin> {
  const login = await completeLogin(tenant, client, email);
  return { ...login, token: textOf(login.page, 'jwt-token') ?? '' };
}

async function apiToken(of: TestClient = client): Promise<string> {
  const fields = { grant_type: 'client_credentials', resource: `${tenant.issuer}/v1` };
  return ((await (await post(`${tenant.issuer}/token`, fields, of.basic)).json()) as Tokens).access_token;
}

async function bind(token: string, mcpSession: string, { of = client, key = random(), at = server.url } = {}) {
  const answer = await fetch(`${at}/v1/sessions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await apiToken(of)}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify({ access_token: token, mcp_session: mcpSession }),
  });
  const body = (await answer.json()) as { code?: string; email?: string };
  return body.code ?? body.email;
}

const redeemCode = ({ code, pkce }: CompletedLogin) => redeem(tenant.issuer, client, { code, verifier: pkce.verifier });

describe('the token of the completion page', () => {
  test('stands behind a click, for this MCP session and for five minutes, and works without JavaScript', async () => {
    const { page, token, mcpSession } = await complete();
    expect(page.text).toMatch(/<details id="jwt">\s*<summary /);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      iss: tenant.issuer,
      aud: 'https://mcp.example.test/mcp',
      client_id: client.clientId,
      mcp_session: mcpSession,
      paste_token: true,
      scopes: ['read'],
    });
    expect(claims.exp! - claims.iat!).toBe(300);
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  test('is announced in the answer to the push, so that the application need not be asked', async () => {
    expect(await (await pushLogin(tenant.issuer, client)).response.json()).toMatchObject({ paste_token: true });
  });

  test('is not there, and not announced, where the application does not say so', async () => {
    const plain = await createClient(tenant);
    const { response, page } = await completeLogin(tenant, plain, email);
    expect(await response.json()).not.toHaveProperty('paste_token');
    expect(page.text).not.toMatch(/<details|eyJ/);
  });

  test('is not there where the person refuses', async () => {
    const { browser, authorizationUrl } = { ...(await complete()), ...(await pushLogin(tenant.issuer, client)) };
    const approval = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    expect((await browser.press(approval, 'Refuse')).text).not.toMatch(/<details|eyJ/);
  });

  test('binds the session that it is for, once, and the same request may be repeated', async () => {
    const { token, mcpSession } = await complete();
    const key = random();
    expect(await bind(token, mcpSession, { key })).toBe(email);
    expect(await bind(token, mcpSession, { key })).toBe(email);
    expect(await bind(token, mcpSession)).toBe('token_already_used');
  });

  test('binds no other session, and is not used up by trying', async () => {
    const { token, mcpSession } = await complete();
    expect(await bind(token, random())).toBe('token_not_for_this_session');
    expect(await bind(token, mcpSession)).toBe(email);
  });

  test('is of no use to another application', async () => {
    const { token, mcpSession } = await complete();
    const other = await createClient(tenant, { pasteToken: true });
    expect(await bind(token, mcpSession, { of: other })).toBe('person_token_invalid');
  });

  test('is refused after its code was used, also before the code’s token was bound', async () => {
    const login = await complete();
    const answer = (await (await redeemCode(login)).json()) as Tokens;
    expect(await bind(login.token, login.mcpSession)).toBe('token_already_used');
    expect(await bind(answer.access_token, login.mcpSession)).toBe(email);
    expect(await bind(login.token, login.mcpSession)).toBe('token_already_used');
  });

  test('voids its code, and what comes with the code does not end the session', async () => {
    const login = await complete();
    expect(await bind(login.token, login.mcpSession)).toBe(email);
    const answer = await redeemCode(login);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
    const session = await tenant.db.session.findFirst({ where: { mcpSession: login.mcpSession } });
    expect(session).toMatchObject({ endedAt: null, boundAt: expect.any(Date) });
  });

  test('and its code at the same moment, at two replicas, make one session', async () => {
    const second = await server.listenAnother();
    for (let round = 0; round < 5; round++) {
      const login = await complete();
      const issuer = `${second}/t/${tenant.id}`;
      const redeemAndBind = async () => {
        const answer = await redeem(tenant.issuer, client, { code: login.code, verifier: login.pkce.verifier }, issuer);
        if (answer.status !== 200) return 'refused';
        return bind(((await answer.json()) as Tokens).access_token, login.mcpSession);
      };
      const ends = await Promise.all([
        bind(login.token, login.mcpSession),
        bind(login.token, login.mcpSession, { at: second }),
        redeemAndBind(),
      ]);
      expect(ends.filter((end) => end === email)).toHaveLength(1);
    }
  });

  test('is no bearer token, neither for the API nor in place of the code', async () => {
    const { token, pkce } = await complete();
    const api = await fetch(`${server.url}/v1/sessions`, { headers: { authorization: `Bearer ${token}` } });
    expect(api.status).toBe(401);
    expect((await redeem(tenant.issuer, client, { code: token, verifier: pkce.verifier })).status).toBe(400);
  });

  test('binds nothing once the application says paste_token no more, or its code is too old', async () => {
    const switched = await createClient(tenant, { pasteToken: true });
    const login = await completeLogin(tenant, switched, email);
    await tenant.db.application.update({ where: { id: switched.id }, data: { pasteToken: false } });
    const token = textOf(login.page, 'jwt-token') ?? '';
    expect(await bind(token, login.mcpSession, { of: switched })).toBe('token_already_used');

    const late = await complete();
    const { id: sid } = await tenant.db.session.findFirstOrThrow({ where: { mcpSession: late.mcpSession } });
    await tenant.db.providerModel.updateMany({ where: { grantId: sid }, data: { expiresAt: new Date(0) } });
    expect(await bind(late.token, late.mcpSession)).toBe('token_already_used');
  });

  test('that another issuer minted binds nothing', async () => {
    const { token, mcpSession } = await complete();
    const other = await server.createTenant();
    const { iss: _iss, ...claims } = decodeJwt(token);
    const minted = await other.sign({ ...claims, iss: tenant.issuer });
    expect(await bind(minted, mcpSession)).toBe('person_token_invalid');
  });
});
