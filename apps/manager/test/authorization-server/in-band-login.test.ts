import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser, hiddenOf, textOf } from './http-browser.js';
import { asksForPassword, completeLogin, logIn } from './login-flow.js';
import {
  createClient,
  givePassword,
  password,
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
let userId: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createClient(tenant);
  const person = await createTestPerson(tenant, { roles: ['admin'], groups: ['staff'], scopes: ['read', 'write'] });
  ({ id: userId, email } = person);
  await givePassword(tenant, userId);
});
afterAll(() => server.close());

const sessionOf = (mcpSession: string) => tenant.db.session.findFirst({ where: { mcpSession } });

describe('the token of an in-band login', () => {
  test('carries exactly the claims of the contract, signed by the tenant, with what the person holds', async () => {
    const { mcpSession, code, pkce } = await completeLogin(tenant, client, email);
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body = (await answer.json()) as Record<string, string>;
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    const keys = createRemoteJWKSet(new URL(`${tenant.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(body['access_token']!, keys);
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: tenant.issuer,
      aud: 'https://mcp.example.test/mcp',
      sub: userId,
      client_id: client.clientId,
      tenant_id: tenant.id,
      email,
      sid: expect.any(String),
      jti: expect.any(String),
      iat: expect.any(Number),
      nbf: payload.iat,
      exp: payload.iat! + 600,
      mcp_session: mcpSession,
      roles: ['admin'],
      groups: ['staff'],
      scopes: ['read'],
      resources: [],
      scope: 'read',
    });
    expect(await sessionOf(mcpSession)).toMatchObject({
      id: payload['sid'],
      userId,
      applicationId: client.id,
      scopes: ['read', 'calculate'],
      clientName: 'Test client',
      endedAt: null,
      boundAt: null,
    });
  });

  test('names the application itself as audience where it has no resource URL', async () => {
    const plain = await createClient(tenant, { resourceUrl: undefined as never, scopes: [] });
    const { access_token: token } = await logIn(tenant, plain, email);
    expect(decodeJwt(token)).toMatchObject({ aud: `urn:authsec:application:${plain.clientId}`, scopes: [] });
  });

  test('of a person who holds nothing has empty lists', async () => {
    const nobody = await createTestPerson(tenant);
    await givePassword(tenant, nobody.id);
    const { access_token: token } = await logIn(tenant, client, nobody.email);
    expect(decodeJwt(token)).toMatchObject({ roles: [], groups: [], scopes: [], resources: [] });
    expect(decodeJwt(token)).not.toHaveProperty('scope');
  });

  test('comes without a refresh token even where the application may have one', async () => {
    const refreshing = await createClient(tenant, { grantTypes: ['authorization_code', 'refresh_token'] });
    expect(await logIn(tenant, refreshing, email)).not.toHaveProperty('refresh_token');
  });

  test('is not given for a person who was disabled since', async () => {
    const person = await createTestPerson(tenant);
    await givePassword(tenant, person.id);
    const { code, pkce } = await completeLogin(tenant, client, person.email);
    await tenant.db.user.update({ where: { id: person.id }, data: { status: 'disabled' } });
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  test('is not given for a login that was ended since', async () => {
    const { code, pkce, mcpSession } = await completeLogin(tenant, client, email);
    const { id: sid } = (await sessionOf(mcpSession))!;
    await server.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'revoked' });
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });
});

describe('the code', () => {
  test('is redeemed once by four requests at the same moment at two Managers on one database', async () => {
    const other = await server.listenAnother();
    const { code, pkce, mcpSession } = await completeLogin(tenant, client, email);
    const places = [tenant.issuer, `${other}/t/${tenant.id}`, tenant.issuer, `${other}/t/${tenant.id}`];
    const answers = await Promise.all(
      places.map((at) => redeem(tenant.issuer, client, { code, verifier: pkce.verifier }, at)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400]);
    expect(await sessionOf(mcpSession)).toMatchObject({ endedAt: null });
    for (const answer of answers.filter(({ status }) => status === 400)) {
      expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
    }
  });

  test('used a second time ends the login that the first use began', async () => {
    const { code, pkce, mcpSession } = await logIn(tenant, client, email);
    await tenant.db.$executeRaw`UPDATE provider_models SET consumed_at = consumed_at - interval '5 seconds'`;
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
    expect(await sessionOf(mcpSession)).toMatchObject({ endReason: 'revoked' });
  });

  test('is worth nothing without its verifier, and a wrong one does not use it up', async () => {
    const { code, pkce } = await completeLogin(tenant, client, email);
    const wrong = await redeem(tenant.issuer, client, { code, verifier: 'x'.repeat(43) });
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
    const none = await post(
      `${tenant.issuer}/token`,
      { grant_type: 'authorization_code', code, redirect_uri: `${tenant.issuer}/completion` },
      client.basic,
    );
    expect(none.status).toBe(400);
    expect((await redeem(tenant.issuer, client, { code, verifier: pkce.verifier })).status).toBe(200);
  });

  test('of one client is not redeemed by another', async () => {
    const { code, pkce } = await completeLogin(tenant, client, email);
    const thief = await createClient(tenant);
    const answer = await redeem(tenant.issuer, thief, { code, verifier: pkce.verifier });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  test('of one tenant is not redeemed at another', async () => {
    const elsewhere = await server.createTenant();
    const { clientId, clientSecret } = client;
    const row = await tenant.db.application.findUniqueOrThrow({ where: { clientId } });
    await elsewhere.db.application.create({ data: { ...row, jwks: undefined as never } });
    const { code, pkce } = await completeLogin(tenant, client, email);
    expect(clientSecret).not.toBe('');
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier }, elsewhere.issuer);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  test('and every other identifier is nowhere in the database in clear', async () => {
    const { code, browser, authorizationUrl } = await completeLogin(tenant, client, email);
    const rows = JSON.stringify([await tenant.db.providerModel.findMany(), await tenant.db.pushedLogin.findMany()]);
    const secrets = [code, authorizationUrl.split('/').at(-1)!];
    for (const cookie of browser.cookies.values()) if (!cookie.name.endsWith('.sig')) secrets.push(cookie.value);
    for (const secret of secrets) expect(rows).not.toContain(secret);
  });
});

describe('signing in', () => {
  test('is asked once by a browser, and approved at each login', async () => {
    const { browser } = await completeLogin(tenant, client, email);
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    const page = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    expect(asksForPassword(page)).toBe(false);
    expect(page.text).toContain('Approve this sign-in?');
    expect(page.text).toContain(email);
  });

  test('asks who it is after a logout', async () => {
    const person = await createTestPerson(tenant);
    await givePassword(tenant, person.id);
    const { browser, mcpSession } = await completeLogin(tenant, client, person.email);
    const { id: sid } = (await sessionOf(mcpSession))!;
    await server.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'logged_out' });
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    const page = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    expect(asksForPassword(page)).toBe(true);
    const approval = await browser.press(page, 'Sign in', { email: person.email, password });
    expect(textOf(await browser.press(approval, 'Approve'), 'code')).toMatch(/^[\w-]{43}$/);
  });

  test('as somebody else is possible from the approval page, and then that person is asked to approve', async () => {
    const other = await createTestPerson(tenant);
    await givePassword(tenant, other.id);
    const { browser } = await completeLogin(tenant, client, email);
    const push = await pushLogin(tenant.issuer, client);
    const approval = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
    const form = await browser.press(approval, 'Not you?');
    expect(asksForPassword(form)).toBe(true);
    const again = await browser.press(form, 'Sign in', { email: other.email, password });
    expect(again.text).toContain(other.email);
    const code = textOf(await browser.press(again, 'Approve'), 'code')!;
    const answer = await redeem(tenant.issuer, client, { code, verifier: push.pkce.verifier });
    expect(decodeJwt(((await answer.json()) as { access_token: string }).access_token).sub).toBe(other.id);
  });

  test('as two people in two tabs of one browser works, and each login is of its own person', async () => {
    const other = await createTestPerson(tenant);
    await givePassword(tenant, other.id);
    const browser = createHttpBrowser();
    const open = async () => {
      const push = await pushLogin(tenant.issuer, client);
      return { ...push, form: await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in') };
    };
    const [one, two] = [await open(), await open()];
    const approval = await browser.press(one.form, 'Sign in', { email, password });
    const second = await browser.press(two.form, 'Sign in', { email: other.email, password });
    expect(second.text).toContain(other.email);
    expect((await browser.press(approval, 'Approve')).text).toContain('for a new link');
    const code = textOf(await browser.press(second, 'Approve'), 'code')!;
    const answer = await redeem(tenant.issuer, client, { code, verifier: two.pkce.verifier });
    expect(decodeJwt(((await answer.json()) as { access_token: string }).access_token).sub).toBe(other.id);
    expect(await sessionOf(one.mcpSession)).toBeNull();
  });

  test('with a live session of a person who was disabled asks for another', async () => {
    const person = await createTestPerson(tenant);
    await givePassword(tenant, person.id);
    const { browser } = await completeLogin(tenant, client, person.email);
    await tenant.db.user.update({ where: { id: person.id }, data: { status: 'disabled' } });
    const push = await pushLogin(tenant.issuer, client);
    const form = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
    expect(asksForPassword(form)).toBe(true);
    const refused = await browser.press(form, 'Sign in', { email: person.email, password });
    expect(refused.status).toBe(422);
    const approval = await browser.press(refused, 'Sign in', { email, password });
    expect(textOf(await browser.press(approval, 'Approve'), 'code')).toMatch(/^[\w-]{43}$/);
  });

  test('refused by the person ends on a page that tells the client access_denied, without a code or a session', async () => {
    for (const refuseAt of ['password', 'approval']) {
      const browser = createHttpBrowser();
      const { authorizationUrl, mcpSession } = await pushLogin(tenant.issuer, client);
      let page = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
      if (refuseAt === 'approval') page = await browser.press(page, 'Sign in', { email, password });
      const end = await browser.press(page, 'Refuse');
      expect([textOf(end, 'error'), textOf(end, 'code')]).toEqual(['access_denied', undefined]);
      expect(await sessionOf(mcpSession)).toBeNull();
    }
  });

  test('that is finished, reloaded or opened in another browser says what to do', async () => {
    const { browser, page, authorizationUrl } = await completeLogin(tenant, client, email);
    const push = await pushLogin(tenant.issuer, client);
    const begun = await browser.press(await browser.get(push.authorizationUrl), 'Continue to sign-in');
    expect(begun.text).toContain('Approve this sign-in?');
    const ends = [
      await browser.get(page.url),
      await browser.get(authorizationUrl),
      await createHttpBrowser().get(begun.url),
    ];
    for (const end of ends) {
      expect(end.status).toBeGreaterThanOrEqual(400);
      expect(end.text).toMatch(/for a new (link|one)/);
    }
  });

  test('twice from one approval, at the same moment, makes one login', async () => {
    const browser = createHttpBrowser();
    const { authorizationUrl, mcpSession } = await pushLogin(tenant.issuer, client);
    const form = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    const approval = await browser.press(form, 'Sign in', { email, password });
    const fields = { csrf: hiddenOf(approval, 'csrf')!, action: 'approve' };
    const posted = await browser.send(approval.url, fields);
    const next = /content="0;url=([^"]*)"/.exec(posted.text)![1]!;
    const ends = await Promise.all([1, 2, 3].map(() => browser.get(next)));
    expect(ends.filter((end) => textOf(end, 'code') !== undefined)).toHaveLength(1);
    expect(await tenant.db.session.count({ where: { mcpSession } })).toBe(1);
  });
});

describe('two logins of one person', () => {
  test('are two sessions, and the end of one does not end the other', async () => {
    const first = await logIn(tenant, client, email);
    const second = await logIn(tenant, client, email, { browser: first.browser });
    const [one, two] = [decodeJwt(first.access_token)['sid'], decodeJwt(second.access_token)['sid']] as string[];
    expect(one).not.toBe(two);
    await server.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid: one!, reason: 'logged_out' });
    expect(await tenant.db.session.findUnique({ where: { id: two! } })).toMatchObject({ endedAt: null });
    const introspected = await post(`${tenant.issuer}/introspection`, { token: second.access_token }, client.basic);
    expect(await introspected.json()).toMatchObject({ active: true });
  });
});
