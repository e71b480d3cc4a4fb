import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createFetchTransport, parseIssuer } from '@authsec/manager-client';
import { exportSPKI, generateKeyPair } from 'jose';
import { createIssuerKeys } from '../../src/bearer/issuer-keys.js';
import { verifyAccessToken } from '../../src/bearer/verify-access-token.js';
import { call, createService, guarded } from '../support/caller.js';
import { startFakeManager, type FakeManager, type TokenChange } from '../support/fake-manager.js';

let manager: FakeManager;
beforeAll(async () => {
  manager = await startFakeManager();
});
afterAll(() => manager.close());

const mcpSession = 'A'.repeat(22);
const claims = { sub: 'ada', sid: 'a-session-id', mcp_session: mcpSession };

function verify(token: string) {
  const issuer = parseIssuer(manager.issuer);
  const keys = createIssuerKeys(issuer, createFetchTransport(), 5_000);
  const audience = 'urn:authsec:application:demo';
  return verifyAccessToken(token, { issuer, audience, clientId: 'demo', sessionId: mcpSession, keys });
}

test('a token as the Manager issues it is accepted', async () => {
  expect(await verify(await manager.signToken(claims))).toMatchObject({
    sub: 'ada',
    sid: 'a-session-id',
    tenantId: 'acme',
  });
});

const now = Math.floor(Date.now() / 1000);
const refused: [string, () => TokenChange | Promise<TokenChange>][] = [
  ['alg none', () => ({ header: { alg: 'none' } })],
  [
    'HS256 under the public key',
    async () => ({ header: { alg: 'HS256' }, key: Buffer.from(await exportSPKI(manager.publicKey)) }),
  ],
  [
    'HS256 under the client secret',
    () => ({ header: { alg: 'HS256' }, key: Buffer.from(manager.clientSecret.padEnd(32)) }),
  ],
  ['another key under the same kid', async () => ({ key: (await generateKeyPair('ES256')).privateKey })],
  ['an unknown kid', () => ({ header: { kid: 'k2' } })],
  [
    'another algorithm of the family',
    async () => ({ header: { alg: 'ES384' }, key: (await generateKeyPair('ES384')).privateKey }),
  ],
  ['RS256', async () => ({ header: { alg: 'RS256' }, key: (await generateKeyPair('RS256')).privateKey })],
  ['typ JWT, as an ID token has it', () => ({ header: { typ: 'JWT' } })],
  ['no typ', () => ({ header: { typ: undefined } })],
  ['jku in its header', () => ({ header: { jku: 'https://evil.example/jwks' } })],
  ['jwk in its header', () => ({ header: { jwk: { kty: 'EC' } } })],
  ['x5u in its header', () => ({ header: { x5u: 'https://evil.example/x5u' } })],
  ['an unknown header', () => ({ header: { foo: 1 } })],
  ['another issuer', () => ({ claims: { iss: 'https://authsec.example/t/acme' } })],
  ['the issuer with a slash', () => ({ claims: { iss: `${manager.issuer}/` } })],
  ["another application's audience", () => ({ claims: { aud: 'urn:authsec:application:other' } })],
  ['the audience of the API', () => ({ claims: { aud: `${manager.issuer}/v1` } })],
  ['several audiences', () => ({ claims: { aud: ['urn:authsec:application:demo', 'urn:authsec:application:other'] } })],
  ['an ID token: the client as audience', () => ({ claims: { aud: 'demo' } })],
  ['another client', () => ({ claims: { client_id: 'other' } })],
  ['another tenant', () => ({ claims: { tenant_id: 'globex' } })],
  ['expired', () => ({ claims: { exp: now - 60 } })],
  ['not valid yet', () => ({ claims: { nbf: now + 600 } })],
  ['a sub that is a list', () => ({ claims: { sub: ['ada'] as never } })],
  ['an empty sid', () => ({ claims: { sid: '' } })],
  ['exp as text', () => ({ claims: { exp: String(now + 600) as never } })],
  ...['exp', 'iat', 'iss', 'aud', 'sub', 'jti', 'sid', 'client_id', 'tenant_id', 'mcp_session'].map(
    (name): [string, () => TokenChange] => [`no ${name}`, () => ({ without: [name] })],
  ),
];

describe('a token is refused', () => {
  test.each(refused)('%s', async (_, change) => {
    const token = await manager.signToken(claims, await change());
    await expect(verify(token)).rejects.toMatchObject({ name: 'AuthSecError', code: 'token_invalid' });
  });

  test.each<[string, unknown]>([
    ["another session's", 'B'.repeat(22)],
    ['one without text', 7],
    ['a list with the right one', [mcpSession]],
  ])('mcp_session: %s', async (_, mcp_session) => {
    const token = await manager.signToken(claims, { claims: { mcp_session } });
    await expect(verify(token)).rejects.toMatchObject({ code: 'token_not_for_this_session' });
  });

  test('any other spelling of a good one', async () => {
    const token = await manager.signToken(claims);
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes end in a character of which two bits count: fifteen others say the same.
    const last = alphabet.indexOf(signature.at(-1)!);
    const spareBits = signature.slice(0, -1) + alphabet.charAt(last ^ 1);
    const spellings = [
      `${header}.${payload}.${spareBits}`,
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token}\n`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      token.replaceAll('-', '+').replaceAll('_', '/') + '+',
      '',
      '..',
    ];
    for (const spelling of spellings) {
      await expect(verify(spelling)).rejects.toMatchObject({ code: 'token_invalid' });
    }
  });

  test('one that is too long, before it is read', async () => {
    const token = await manager.signToken(claims, { claims: { roles: ['x'.repeat(20_000)] } });
    await expect(verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
  });
});

describe('in a login, a refused token signs nobody in', () => {
  test.each<[string, string, () => TokenChange | Promise<TokenChange>]>([
    ['alg none', 'token_invalid', () => ({ header: { alg: 'none' } })],
    ['another key', 'token_invalid', async () => ({ key: (await generateKeyPair('ES256')).privateKey })],
    ["another session's", 'token_not_for_this_session', () => ({ claims: { mcp_session: 'B'.repeat(22) } })],
  ])('%s', async (_, code, change) => {
    manager.changeTokens(await change());
    const service = createService(manager);
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const given = { session_id, code: manager.approve(authorization_url, 'ada') };
    expect((await call(session, 'oauth_authenticate', given)).error).toBe(code);
    expect(session.state().kind).toBe('anonymous');
    expect(manager.count('POST', '/v1/sessions')).toBe(0);
    manager.changeTokens({});
    await service.close();
  });
});

describe('the key set', () => {
  test('an unknown kid does not fetch it again and again', async () => {
    const issuer = parseIssuer(manager.issuer);
    const keys = createIssuerKeys(issuer, createFetchTransport(), 5_000);
    const before = manager.count('GET', '/t/acme/jwks');
    const token = await manager.signToken(claims, { header: { kid: 'k2' } });
    const expected = {
      issuer,
      audience: 'urn:authsec:application:demo',
      clientId: 'demo',
      sessionId: mcpSession,
      keys,
    };
    for (let time = 0; time < 10; time++) await verifyAccessToken(token, expected).catch(() => {});
    expect(manager.count('GET', '/t/acme/jwks') - before).toBe(2);
  });

  test('a key that began to sign right after it was fetched is found: no login is lost to a rotation', async () => {
    let fetched = 0;
    manager.intercept(({ path }, response) => {
      if (!path.endsWith('/jwks') || fetched++ > 0) return false;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
      return true;
    });
    expect(await verify(await manager.signToken(claims))).toMatchObject({ sub: 'ada' });
    expect(fetched).toBe(2);
    manager.intercept(undefined);
  });

  test.each<[string, number, string, string]>([
    ['an error page', 500, '<html>', 'text/html'],
    ['{}', 200, '{}', 'application/json'],
    ['no JSON', 200, '<html>', 'text/html'],
  ])('%s in its place: the Manager is unavailable, the token not refused', async (_, status, body, type) => {
    manager.intercept(({ path }, response) => {
      if (!path.endsWith('/jwks')) return false;
      response.writeHead(status, { 'content-type': type }).end(body);
      return true;
    });
    await expect(verify(await manager.signToken(claims))).rejects.toMatchObject({ code: 'manager_unavailable' });
    manager.intercept(undefined);
  });
});
