import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { logIn } from './login-flow.js';
import {
  basicOf,
  createClient,
  givePassword,
  post,
  startTestServer,
  type TestClient,
  type TestServer,
} from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let other: TestClient;
let email: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createClient(tenant);
  other = await createClient(tenant);
  const person = await createTestPerson(tenant, { scopes: ['read'] });
  email = person.email;
  await givePassword(tenant, person.id);
});
afterAll(() => server.close());

const token = (fields: Record<string, string>, basic?: string) => post(`${tenant.issuer}/token`, fields, basic);
const machine = async (own: TestClient) => {
  const answer = await token({ grant_type: 'client_credentials' }, own.basic);
  return ((await answer.json()) as { access_token: string }).access_token;
};
const introspect = async (value: string, basic = client.basic) =>
  (await post(`${tenant.issuer}/introspection`, { token: value }, basic)).json() as Promise<Record<string, unknown>>;
const revoke = (value: string, basic = client.basic) => post(`${tenant.issuer}/revocation`, { token: value }, basic);

describe('client credentials', () => {
  test.each([false, true])('give a token for the API, named: %s', async (named) => {
    const given: Record<string, string> = named ? { resource: `${tenant.issuer}/v1` } : {};
    const answer = await token({ grant_type: 'client_credentials', ...given }, client.basic);
    const body = (await answer.json()) as { access_token: string };
    expect(body).toEqual({ access_token: expect.any(String), expires_in: 600, token_type: 'Bearer' });
    const claims = decodeJwt(body.access_token);
    expect(decodeProtectedHeader(body.access_token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: tenant.issuer,
      aud: `${tenant.issuer}/v1`,
      sub: client.clientId,
      client_id: client.clientId,
      tenant_id: tenant.id,
      jti: expect.any(String),
      iat: expect.any(Number),
      nbf: claims.iat,
      exp: claims.iat! + 600,
    });
    const sessions = await fetch(`${server.url}/v1/sessions`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    expect(sessions.status).toBe(200);
  });

  test.each([
    ['the audience of people', { resource: 'https://mcp.example.test/mcp' }, 'invalid_target'],
    ['another tenant', { resource: 'https://authsec.test/t/other/v1' }, 'invalid_target'],
    ['no URI', { resource: 'api' }, 'invalid_target'],
  ])('give none for %s', async (_what, fields, error) => {
    const answer = await token({ grant_type: 'client_credentials', ...fields }, client.basic);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error }]);
  });

  test('give no scope, whatever is asked for', async () => {
    const answer = await token({ grant_type: 'client_credentials', scope: 'read admin authsec:login' }, client.basic);
    const body = (await answer.json()) as { access_token: string };
    expect(body).not.toHaveProperty('scope');
    expect(decodeJwt(body.access_token)).not.toHaveProperty('scope');
  });
});

describe('client authentication', () => {
  test.each([
    ['a wrong secret', () => basicOf(client.clientId, 'wrong')],
    ["another client's secret", () => basicOf(client.clientId, other.clientSecret)],
    ['no secret', () => basicOf(client.clientId, ' ')],
    ['an unknown client', () => basicOf('nobody', client.clientSecret)],
  ])('refuses %s at each endpoint', async (_what, basic) => {
    const own = await machine(client);
    for (const [path, fields] of [
      ['token', { grant_type: 'client_credentials' }],
      ['introspection', { token: own }],
      ['revocation', { token: own }],
      ['request', {}],
    ] as const) {
      const answer = await post(`${tenant.issuer}/${path}`, fields as Record<string, string>, basic());
      expect([path, answer.status, await answer.json()]).toMatchObject([path, 401, { error: 'invalid_client' }]);
      expect(answer.headers.get('www-authenticate')).toContain('Basic');
    }
    expect(await introspect(own)).toMatchObject({ active: true });
  });

  test('refuses a secret in the body, and a client that names itself only', async () => {
    const { clientId: client_id, clientSecret: client_secret } = client;
    const bodies: Record<string, string>[] = [{ client_id, client_secret }, { client_id }];
    for (const fields of bodies) {
      const answer = await token({ grant_type: 'client_credentials', ...fields });
      expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    }
  });

  test('takes a signed assertion once, also from four requests at the same moment at two Managers', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'k' };
    const signer = await createClient(tenant);
    await tenant.db.application.update({
      where: { id: signer.id },
      data: { tokenEndpointAuthMethod: 'private_key_jwt', clientSecretHash: null, jwks: { keys: [jwk] } as never },
    });
    const assertion = await new SignJWT({ jti: 'once' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(signer.clientId)
      .setSubject(signer.clientId)
      .setAudience(tenant.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey);
    const fields = {
      grant_type: 'client_credentials',
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    const origin = await server.listenAnother();
    const places = [tenant.issuer, `${origin}/t/${tenant.id}`, tenant.issuer, `${origin}/t/${tenant.id}`];
    const answers = await Promise.all(places.map((at) => post(`${at}/token`, fields)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test.each(['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'nothing'])(
    'does not know the grant type %s',
    async (grantType) => {
      const answer = await token({ grant_type: grantType }, client.basic);
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'unsupported_grant_type' }]);
    },
  );

  test('refuses a grant type that the application does not have', async () => {
    const answer = await token({ grant_type: 'refresh_token', refresh_token: 'x' }, client.basic);
    expect(answer.status).toBe(400);
  });
});

describe('introspection', () => {
  test("tells the owning client of its person's token", async () => {
    const { access_token: value } = await logIn(tenant, client, email);
    expect(await introspect(value)).toMatchObject({ ...decodeJwt(value), active: true, token_type: 'Bearer' });
  });

  test('tells another client, or of anything but a valid access token, nothing', async () => {
    const { access_token: value } = await logIn(tenant, client, email);
    const elsewhere = await server.createTenant();
    const foreign = await createClient(elsewhere);
    const foreignToken = (await (
      await post(`${elsewhere.issuer}/token`, { grant_type: 'client_credentials' }, foreign.basic)
    ).json()) as { access_token: string };
    const claims = decodeJwt(value);
    const tampered = value.replace(
      /\.[^.]+\./,
      `.${Buffer.from(JSON.stringify({ ...claims, roles: ['admin'] })).toString('base64url')}.`,
    );
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelled = value.slice(0, -1) + last[last.indexOf(value.at(-1)!) ^ 1];
    expect(await introspect(value, other.basic)).toEqual({ active: false });
    for (const nothing of [
      tampered,
      respelled,
      foreignToken.access_token,
      await tenant.sign({ ...claims, exp: 1 }),
      await tenant.sign(claims, { typ: 'JWT' }),
      await tenant.sign({ ...claims, sid: 'none-of-ours' }),
      await tenant.sign({ ...claims, aud: 'https://another.test' }),
      'e30.e30.e30',
      'nonsense',
    ]) {
      expect(await introspect(nothing)).toEqual({ active: false });
    }
  });

  test('says no more once the session has ended or the token was revoked', async () => {
    const { access_token: first } = await logIn(tenant, client, email);
    const sid = String(decodeJwt(first)['sid']);
    await server.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'logged_out' });
    expect(await introspect(first)).toEqual({ active: false });
    const value = await machine(client);
    expect(await introspect(value)).toMatchObject({ active: true, sub: client.clientId });
    expect((await revoke(value)).status).toBe(200);
    expect(await introspect(value)).toEqual({ active: false });
    const api = await fetch(`${server.url}/v1/sessions`, { headers: { authorization: `Bearer ${value}` } });
    expect(api.status).toBe(401);
  });
});

describe('revocation', () => {
  test('of an in-band token ends the session, and no other', async () => {
    const first = await logIn(tenant, client, email);
    const second = await logIn(tenant, client, email);
    const answer = await revoke(first.access_token);
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect((await revoke(first.access_token)).status).toBe(200);
    const sessions = await tenant.db.session.findMany({
      where: { mcpSession: { in: [first.mcpSession, second.mcpSession] } },
    });
    expect(new Map(sessions.map((session) => [session.mcpSession, session.endReason]))).toEqual(
      new Map([
        [first.mcpSession, 'revoked'],
        [second.mcpSession, null],
      ]),
    );
  });

  test('of what is not a token of this client answers the same and does nothing', async () => {
    const { access_token: value, mcpSession } = await logIn(tenant, client, email);
    expect((await revoke(value, other.basic)).status).toBe(200);
    expect((await revoke('nonsense')).status).toBe(200);
    expect((await revoke('e30.e30.e30')).status).toBe(200);
    expect((await revoke(await tenant.sign({ ...decodeJwt(value), exp: 1 }))).status).toBe(200);
    expect(await introspect(value)).toMatchObject({ active: true });
    expect(await tenant.db.session.findFirst({ where: { mcpSession } })).toMatchObject({ endedAt: null });
  });
});
