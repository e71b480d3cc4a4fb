import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createApplication } from '../../src/modules/applications/applications.service.js';
import type { TestTenant } from '../support/test-manager.js';
import { basicOf, createClient, post, startTestServer, type TestServer } from './test-server.js';

type Algorithm = 'ES256' | 'EdDSA' | 'PS256';

let server: TestServer;
let tenant: TestTenant;
let machine: Machine;

interface Machine {
  readonly clientId: string;
  readonly publicKey: CryptoKey;
  assert(claims?: JWTPayload, header?: Record<string, unknown>, key?: CryptoKey): Promise<string>;
}

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  machine = await createMachine('ES256');
});
afterAll(() => server.close());

async function createMachine(alg: Algorithm, of = tenant): Promise<Machine> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'k1' };
  const { clientId, clientSecret } = await createApplication(of.db, { name: 'Machine', keys: [key] });
  expect(clientSecret).toBeUndefined();
  return {
    clientId,
    publicKey,
    async assert(claims = {}, header = {}, signer = privateKey) {
      const now = Math.floor(Date.now() / 1000);
      const own = { iss: clientId, sub: clientId, aud: of.issuer, jti: randomUUID(), iat: now, exp: now + 60 };
      const payload = Object.fromEntries(
        Object.entries({ ...own, ...claims }).filter(([, value]) => value !== undefined),
      );
      return new SignJWT(payload).setProtectedHeader({ alg, kid: 'k1', ...header }).sign(signer);
    },
  };
}

const fieldsOf = (assertion: string) => ({
  client_assertion: assertion,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
});
const token = (assertion: string, more: Record<string, string> = {}, basic?: string) =>
  post(`${tenant.issuer}/token`, { grant_type: 'client_credentials', ...fieldsOf(assertion), ...more }, basic);
const api = (path: string, value: string) =>
  fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${value}` } });

describe('a machine proves who it is', () => {
  test.each<Algorithm>(['ES256', 'EdDSA', 'PS256'])('with %s, and its token is good at the API', async (alg) => {
    const own = await createMachine(alg);
    const answer = await token(await own.assert());
    expect(answer.status).toBe(200);
    const { access_token: value } = (await answer.json()) as { access_token: string };
    expect((await api('/v1/sessions', value)).status).toBe(200);
  });

  test('to the issuer or to its token endpoint, naming itself or not', async () => {
    for (const aud of [tenant.issuer, `${tenant.issuer}/token`]) {
      expect((await token(await machine.assert({ aud }))).status).toBe(200);
      expect((await token(await machine.assert({ aud }), { client_id: machine.clientId })).status).toBe(200);
    }
  });

  test('at introspection and revocation too', async () => {
    const { access_token: value } = (await (await token(await machine.assert())).json()) as { access_token: string };
    const ask = async (path: string) =>
      post(`${tenant.issuer}/${path}`, { token: value, ...fieldsOf(await machine.assert()) });
    expect(await (await ask('introspection')).json()).toMatchObject({ active: true, sub: machine.clientId });
    expect((await ask('revocation')).status).toBe(200);
    expect(await (await ask('introspection')).json()).toEqual({ active: false });
    expect((await api('/v1/sessions', value)).status).toBe(401);
  });

  test('with another key as soon as it is registered, and no more with the one that went', async () => {
    const own = await createMachine('ES256');
    const next = await generateKeyPair('ES256', { extractable: true });
    const key = { ...(await exportJWK(next.publicKey)), kid: 'k2', alg: 'ES256', use: 'sig' };
    await tenant.db.application.update({ where: { clientId: own.clientId }, data: { jwks: { keys: [key] } as never } });
    expect((await token(await own.assert())).status).toBe(401);
    expect((await token(await own.assert({}, { kid: 'k2' }, next.privateKey))).status).toBe(200);
  });
});

describe('an assertion is good once', () => {
  test('one after the other', async () => {
    const assertion = await machine.assert();
    expect((await token(assertion)).status).toBe(200);
    const again = await token(assertion);
    expect([again.status, await again.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    const sameJti = await machine.assert({ jti: 'the same', exp: Math.floor(Date.now() / 1000) + 30 });
    expect((await token(sameJti)).status).toBe(200);
    expect((await token(await machine.assert({ jti: 'the same' }))).status).toBe(401);
  });

  test('of eight at the same moment at two Managers exactly one gets a token', async () => {
    const assertion = await machine.assert();
    const second = `${await server.listenAnother()}/t/${tenant.id}`;
    const body = { grant_type: 'client_credentials', ...fieldsOf(assertion) };
    const places = Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? tenant.issuer : second));
    const answers = await Promise.all(places.map((at) => post(`${at}/token`, body)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, ...Array<number>(7).fill(401)]);
  });

  test('and another client may use the same jti', async () => {
    const other = await createMachine('ES256');
    expect((await token(await machine.assert({ jti: 'shared' }))).status).toBe(200);
    expect((await token(await other.assert({ jti: 'shared' }))).status).toBe(200);
  });
});

const now = () => Math.floor(Date.now() / 1000);

describe('an assertion is refused', () => {
  test.each<[string, () => JWTPayload]>([
    ['without aud', () => ({ aud: undefined })],
    ['for another tenant', () => ({ aud: tenant.issuer.replace(tenant.id, 'another') })],
    ['for another endpoint', () => ({ aud: `${tenant.issuer}/introspection` })],
    ['for this issuer and somebody else', () => ({ aud: [tenant.issuer, 'https://evil.test'] })],
    ['for this issuer in a list', () => ({ aud: [tenant.issuer] })],
    ['without exp', () => ({ exp: undefined })],
    ['that expired', () => ({ exp: now() - 60 })],
    ['that lives for an hour', () => ({ exp: now() + 3600 })],
    ['that lives for ever', () => ({ exp: 1e300 })],
    ['from the future', () => ({ iat: now() + 300, exp: now() + 360 })],
    ['not yet good', () => ({ nbf: now() + 300 })],
    ['without jti', () => ({ jti: undefined })],
    ['with a jti of 2,000 characters', () => ({ jti: 'x'.repeat(2_000) })],
    ['of another issuer', () => ({ iss: 'somebody' })],
    ['without iss', () => ({ iss: undefined })],
    ['about a client that is not there', () => ({ sub: 'nobody' })],
    ['about nobody', () => ({ sub: undefined })],
  ])('%s', async (_what, claims) => {
    const answer = await token(await machine.assert(claims()));
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_client' }]);
  });

  test('signed by a key that is not registered, under its kid or none', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    expect((await token(await machine.assert({}, {}, privateKey))).status).toBe(401);
    expect((await token(await machine.assert({}, { kid: undefined }, privateKey))).status).toBe(401);
    const stranger = await createMachine('ES256');
    const theirs = await stranger.assert({ iss: machine.clientId, sub: machine.clientId });
    expect((await token(theirs)).status).toBe(401);
  });

  test('with the key in its header, unsigned, or signed with the public key as a secret', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    expect((await token(await machine.assert({}, { jwk }, privateKey))).status).toBe(401);
    const payload = (await machine.assert()).split('.')[1] ?? '';
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect((await token(`${part({ alg: 'none' })}.${payload}.`)).status).toBe(401);
    const input = `${part({ alg: 'HS256', kid: 'k1' })}.${payload}`;
    const secrets = [await exportSPKI(machine.publicKey), JSON.stringify(await exportJWK(machine.publicKey))];
    for (const secret of secrets) {
      const signature = createHmac('sha256', secret).update(input).digest('base64url');
      expect((await token(`${input}.${signature}`)).status).toBe(401);
    }
  });

  test('of another tenant, whose client has the same name and the same key', async () => {
    const elsewhere = await server.createTenant();
    const foreign = await createMachine('ES256', elsewhere);
    const answer = await token(await foreign.assert());
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    const key = { ...(await exportJWK(foreign.publicKey)), kid: 'k1' };
    await createApplication(tenant.db, { name: 'Twin', clientId: foreign.clientId, keys: [key] });
    expect((await token(await foreign.assert())).status).toBe(401);
    expect((await token(await foreign.assert({ aud: tenant.issuer }))).status).toBe(200);
  });

  test('beside another proof, or in the place of the one that the client has', async () => {
    const basic = basicOf(machine.clientId, 'anything');
    expect((await token(await machine.assert(), {}, basic)).status).toBe(400);
    expect((await post(`${tenant.issuer}/token`, { grant_type: 'client_credentials' }, basic)).status).toBe(401);
    const { clientId } = await createClient(tenant);
    const { privateKey } = await generateKeyPair('ES256');
    const stranger = await machine.assert({ iss: clientId, sub: clientId }, {}, privateKey);
    expect((await token(stranger)).status).toBe(401);
    const disabled = await createMachine('ES256');
    await tenant.db.application.update({ where: { clientId: disabled.clientId }, data: { status: 'disabled' } });
    expect((await token(await disabled.assert())).status).toBe(401);
  });

  test.each([
    ['a sub that is no text', { sub: ['x'] }],
    ['an object as sub', { sub: {} }],
    ['a number as aud', { aud: 5 }],
    ['an object as jti', { jti: {} }],
  ])('with %s, as the client error that it is', async (_what, claims) => {
    const answer = await token(await machine.assert(claims as never));
    expect([400, 401]).toContain(answer.status);
  });
});

describe('keys of an application', () => {
  const register = (keys: readonly Record<string, unknown>[], more = {}) =>
    createApplication(tenant.db, { name: 'Machine', keys, ...more });

  test('are refused where they are private, weak, of another kind, too many or none', async () => {
    const ec = await generateKeyPair('ES256', { extractable: true });
    const publicJwk = await exportJWK(ec.publicKey);
    const p384 = await exportJWK((await generateKeyPair('ES384', { extractable: true })).publicKey);
    const weak = { kty: 'RSA', e: 'AQAB', n: 'x'.repeat(171) };
    const cases: (readonly Record<string, unknown>[])[] = [
      [{ ...(await exportJWK(ec.privateKey)) }],
      [{ kty: 'oct', k: 'c2VjcmV0' }],
      [weak],
      [{ ...p384 }],
      [{ ...publicJwk, alg: 'HS256' }],
      [{ ...publicJwk, use: 'enc' }],
      [
        { ...publicJwk, kid: 'a' },
        { ...publicJwk, kid: 'a' },
      ],
      [],
      Array.from({ length: 11 }, (_, index) => ({ ...publicJwk, kid: String(index) })),
    ];
    for (const keys of cases) await expect(register(keys)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(register([{ ...publicJwk }], { publicClient: true })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  test('are stored for their one algorithm, without what else was given', async () => {
    const jwk = await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey);
    const { id } = await register([{ ...jwk, kid: 'k', jku: 'https://evil.test' }]);
    const row = await tenant.db.application.findUniqueOrThrow({ where: { id } });
    expect(row.jwks).toEqual({ keys: [{ ...jwk, kid: 'k', alg: 'ES256', use: 'sig' }] });
    expect(row).toMatchObject({ tokenEndpointAuthMethod: 'private_key_jwt', clientSecretHash: null });
  });
});
