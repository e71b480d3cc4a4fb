import { minKeyOverlapSeconds, type SigningKeyView } from '@authsec/manager-client/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from 'jose';
import { lifetimes } from '../../src/authorization-server/lifetimes.js';
import { purgeExpired } from '../../src/authorization-server/purge-expired.js';
import { loadSigningKeys } from '../../src/integrations/signing-keys.js';
import { createTestLogin, createTestPerson, personBearer } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createClient, post, startTestServer, type TestClient, type TestServer } from './test-server.js';

let server: TestServer;
/** A second Manager process on the same databases. */
let second: string;
let tenant: TestTenant;
let operator: TestClient;
let client: TestClient;

beforeAll(async () => {
  server = await startTestServer();
  second = await server.listenAnother();
});
afterAll(() => server.close());
beforeEach(async () => {
  tenant = await server.createTenant();
  client = await createClient(tenant);
  operator = await createOperator(tenant);
});

async function createOperator(of: TestTenant): Promise<TestClient> {
  const created = await createClient(of);
  const role = await of.db.role.findUniqueOrThrow({ where: { name: 'authsec-admin' } });
  await of.db.applicationRole.create({ data: { applicationId: created.id, roleId: role.id } });
  return created;
}

const issuerAt = (origin: string, of = tenant) => `${origin}/t/${of.id}`;
const tokenOf = async (own: TestClient, origin = server.url, of = tenant) => {
  const answer = await post(`${issuerAt(origin, of)}/token`, { grant_type: 'client_credentials' }, own.basic);
  return ((await answer.json()) as { access_token: string }).access_token;
};
const call = (path: string, value: string | undefined, { body, origin = server.url }: CallOptions = {}) =>
  fetch(`${origin}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(value !== undefined && { authorization: `Bearer ${value}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
interface CallOptions {
  body?: unknown;
  origin?: string;
}
const change = async (what: 'rotate' | 'revoke', body: unknown = {}, origin = server.url) => {
  const answer = await call(`/v1/signing-keys/${what}`, await tokenOf(operator, origin), { body, origin });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> & { keys: SigningKeyView[] } };
};
const publishedAt = async (origin: string) => {
  const { keys } = (await (await fetch(`${issuerAt(origin)}/jwks`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid).sort();
};
const kidOf = (value: string) => decodeProtectedHeader(value).kid;
const statuses = async (value: string) => {
  const answers = [];
  for (const origin of [server.url, second]) {
    answers.push((await call('/v1/sessions', value, { origin })).status);
    const introspection = await post(`${issuerAt(origin)}/introspection`, { token: value }, client.basic);
    answers.push(((await introspection.json()) as { active: boolean }).active);
  }
  return answers;
};
const good = [200, true, 200, true];
const refused = [401, false, 401, false];
const keyRows = () => tenant.db.signingKey.findMany({ orderBy: { createdAt: 'asc' } });

/** With the key that signs now. */
async function signNow(claims: JWTPayload): Promise<string> {
  const { jwks } = await loadSigningKeys(tenant.db, tenant.id, server.container.sealer);
  const [jwk] = jwks.keys;
  const payload = { ...decodeJwt(await tenant.sign({})), sub: client.clientId, client_id: client.clientId, ...claims };
  const header = { alg: 'ES256', kid: jwk!.kid!, typ: 'at+jwt' };
  return new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(jwk!, 'ES256'));
}

describe('rotation', () => {
  test('lets a new key sign, and what the old one signed go on verifying at every Manager', async () => {
    const before = await tokenOf(client);
    expect(await statuses(before)).toEqual(good);
    const { status, body } = await change('rotate', { overlap_seconds: 3600 });
    expect(status).toBe(201);
    const [active, retiring] = body.keys;
    expect(active).toMatchObject({ status: 'active', alg: 'ES256', retires_at: null, retired_at: null });
    expect(retiring).toMatchObject({ status: 'retiring', kid: kidOf(before), retired_at: null, revoked_at: null });
    const left = Date.parse(retiring!.retires_at!) - Date.now();
    expect(Math.abs(left - 3_600_000)).toBeLessThan(60_000);
    expect(await statuses(before)).toEqual(good);
    const after = await tokenOf(client);
    expect(kidOf(after)).toBe(active!.kid);
    expect(await statuses(after)).toEqual(good);
  });

  test('publishes the new key at every Manager before anyone gets what it signed', async () => {
    for (const origin of [server.url, second]) await publishedAt(origin);
    const { body } = await change('rotate');
    const kids = body.keys.map(({ kid }) => kid).sort();
    expect(await publishedAt(second)).toEqual(kids);
    expect(await publishedAt(server.url)).toEqual(kids);
  });

  test.each(['rotate', 'revoke'] as const)(
    '(%s) reaches the tokens that every Manager issues from its commit on, without being told',
    async (what) => {
      for (const origin of [server.url, second]) await tokenOf(client, origin);
      const { body } = await change(what);
      for (const origin of [second, server.url]) expect(kidOf(await tokenOf(client, origin))).toBe(body.keys[0]!.kid);
    },
  );

  test('retires the old key when the overlap is over: its tokens are refused, nothing of it is published or kept', async () => {
    const before = await tokenOf(client);
    expect(await statuses(before)).toEqual(good);
    await change('rotate');
    // Now both Managers keep the keys as they are, and nothing tells them of what comes.
    expect(await statuses(before)).toEqual(good);
    await tenant.db.signingKey.updateMany({ where: { status: 'retiring' }, data: { retiresAt: new Date(0) } });
    expect(await statuses(before)).toEqual(refused);
    for (const origin of [server.url, second]) expect(await publishedAt(origin)).not.toContain(kidOf(before));
    await purgeExpired(tenant.db);
    const [old, now] = await keyRows();
    expect(old).toMatchObject({ status: 'retired', retiredAt: expect.any(Date), revokedAt: null });
    expect(old!.sealedPrivateJwk).toHaveLength(0);
    expect(now!.sealedPrivateJwk.length).toBeGreaterThan(0);
    expect(await statuses(await tokenOf(client))).toEqual(good);
  });

  test('by four at once leaves one key that signs, and all the others retiring', async () => {
    const token = await tokenOf(operator);
    const origins = [server.url, second, server.url, second];
    const answers = await Promise.all(
      origins.map((origin) => call('/v1/signing-keys/rotate', token, { body: {}, origin })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const rows = await keyRows();
    expect(rows.map(({ status }) => status).sort()).toEqual(['active', ...Array<string>(4).fill('retiring')]);
  });

  test('409 where ten keys are retiring already, and nothing changes', async () => {
    for (let count = 0; count < 10; count++) expect((await change('rotate')).status).toBe(201);
    const before = await keyRows();
    expect(await change('rotate')).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await keyRows()).toEqual(before);
  });

  test('cannot be so short that a token outlives its key', async () => {
    expect(minKeyOverlapSeconds).toBeGreaterThan(Math.max(lifetimes.accessToken, lifetimes.idToken) + 10);
    for (const overlap of [0, minKeyOverlapSeconds - 1, 1.5, 10 ** 9, '3600', null]) {
      expect((await change('rotate', { overlap_seconds: overlap })).status).toBe(400);
    }
    expect(await keyRows()).toHaveLength(1);
  });

  test('is audited', async () => {
    const before = kidOf(await tokenOf(client));
    const { body } = await change('rotate');
    const event = await tenant.db.auditEvent.findFirst({ where: { action: 'signing-key.rotate' } });
    expect(event).toMatchObject({
      actorKind: 'application',
      actorId: operator.clientId,
      targetId: body.keys[0]!.kid,
      details: { retiring: [before], overlap_seconds: 3600 },
    });
  });
});

describe('revocation', () => {
  test("refuses every older token at every Manager at once, the revoker's and those of retiring keys too", async () => {
    const oldest = await tokenOf(client);
    await change('rotate');
    const older = await tokenOf(client);
    const own = await tokenOf(operator);
    for (const value of [oldest, older]) expect(await statuses(value)).toEqual(good);
    const { status, body } = await change('revoke');
    expect([status, body['ended_sessions']]).toEqual([201, 0]);
    for (const value of [oldest, older]) expect(await statuses(value)).toEqual(refused);
    expect((await call('/v1/sessions', own)).status).toBe(401);
    expect(body.keys.map((key) => [key.status, key.revoked_at])).toEqual([
      ['active', null],
      ['retired', body['revoked_at']],
      ['retired', body['revoked_at']],
    ]);
    expect(await publishedAt(second)).toEqual([body.keys[0]!.kid]);
    const next = await tokenOf(client);
    expect(kidOf(next)).toBe(body.keys[0]!.kid);
    expect(await statuses(next)).toEqual(good);
    const rows = await keyRows();
    expect(rows.map((row) => row.sealedPrivateJwk.length > 0)).toEqual([false, false, true]);
  });

  test('is not undone by who puts a key back, or signs an older moment with the new key', async () => {
    const [row] = await keyRows();
    const value = await tenant.sign({
      sub: client.clientId,
      client_id: client.clientId,
      iat: Math.floor(Date.now() / 1000) - 30,
    });
    expect(await statuses(value)).toEqual(good);
    await change('revoke');
    expect(await statuses(await signNow({ iat: Math.floor(Date.now() / 1000) }))).toEqual(good);
    expect(await statuses(await signNow({ iat: Math.floor(Date.now() / 1000) - 30 }))).toEqual(refused);
    const { kid, sealedPrivateJwk } = row!;
    await tenant.db.$executeRaw`
      UPDATE signing_keys SET status = 'retiring', revoked_at = NULL, sealed_private_jwk = ${sealedPrivateJwk} WHERE kid = ${kid}`;
    await tenant.db.$executeRaw`
      INSERT INTO signing_keys (kid, alg, public_jwk, sealed_private_jwk, status, retired_at, revoked_at)
      VALUES ('another', 'ES256', '{}', '', 'retired', now(), now())`;
    expect(await statuses(value)).toEqual(refused);
  });

  test("refuses to bind a login by the person's older token", async () => {
    const person = await createTestPerson(tenant);
    const application = await tenant.db.application.findUniqueOrThrow({ where: { id: client.id } });
    const login = await createTestLogin(tenant, application, person);
    const personToken = await login.token();
    await change('revoke');
    const body = { access_token: personToken, mcp_session: login.mcpSession };
    for (const origin of [server.url, second]) {
      const answer = await call('/v1/sessions', await tokenOf(client), { body, origin });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'person_token_invalid']);
    }
  });

  test('leaves sessions, which are rows, as they are; unless it is said that all end', async () => {
    const application = await tenant.db.application.findUniqueOrThrow({ where: { id: client.id } });
    const person = await createTestPerson(tenant);
    const { sid } = await createTestLogin(tenant, application, person, { bound: true });
    const renew = async () => {
      const answer = await call('/v1/sessions/renew', await tokenOf(client), { body: { sids: [sid] } });
      return ((await answer.json()) as { sessions: unknown[] }).sessions[0];
    };
    await change('revoke');
    expect(await renew()).toMatchObject({ status: 'active' });
    const cursor = await (await call('/v1/changes?wait=0', await tokenOf(client))).json();
    expect((await change('revoke', { end_sessions: true })).body['ended_sessions']).toBe(1);
    expect(await renew()).toMatchObject({ status: 'ended', reason: 'revoked' });
    const after = (cursor as { cursor: string }).cursor;
    const feed = await call(`/v1/changes?wait=0&after=${after}`, await tokenOf(client));
    expect(await feed.json()).toMatchObject({ ended: [{ sid, reason: 'revoked' }] });
    const events = await tenant.db.auditEvent.findMany({
      where: { action: 'signing-key.revoke' },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ details }) => details)).toMatchObject([{ end_sessions: false }, { end_sessions: true }]);
  });

  test('together with a rotation leaves no older token good, whichever came first', async () => {
    const value = await tokenOf(client);
    const token = await tokenOf(operator);
    await Promise.all([
      call('/v1/signing-keys/rotate', token, { body: {} }),
      call('/v1/signing-keys/revoke', token, { body: {}, origin: second }),
      call('/v1/signing-keys/rotate', token, { body: {}, origin: second }),
    ]);
    expect(await statuses(value)).toEqual(refused);
    expect((await keyRows()).filter(({ status }) => status === 'active')).toHaveLength(1);
  });
});

describe('who may', () => {
  const operations: [string, string, unknown][] = [
    ['list', '/v1/signing-keys', undefined],
    ['rotate', '/v1/signing-keys/rotate', {}],
    ['revoke', '/v1/signing-keys/revoke', {}],
  ];

  test.each(operations)('%s: 401 without a token, 403 without the permission', async (_name, path, body) => {
    expect((await call(path, undefined, { body })).status).toBe(401);
    expect((await call(path, await tokenOf(client), { body })).status).toBe(403);
    const application = await tenant.db.application.findUniqueOrThrow({ where: { id: client.id } });
    const person = await createTestPerson(tenant);
    const bearer = await personBearer(tenant, application, person, []);
    expect((await call(path, bearer.slice('Bearer '.length), { body })).status).toBe(403);
    expect(await keyRows()).toMatchObject([{ status: 'active' }]);
  });

  test.each(operations.slice(1))('%s: 400 for what it does not know', async (name, path) => {
    expect((await change(name as 'rotate', { kid: 'x' })).status).toBe(400);
    expect((await change(name as 'rotate', [])).status).toBe(400);
    expect((await call(path, await tokenOf(operator), {})).status).toBe(405);
  });

  test('who may read may not write; and an administrator reads and writes', async () => {
    const application = await tenant.db.application.findUniqueOrThrow({ where: { id: client.id } });
    const permission = { connectOrCreate: readKeys };
    await tenant.db.role.create({ data: { name: 'key-reader', permissions: { create: { permission } } } });
    const reader = await createTestPerson(tenant, { roles: ['key-reader'] });
    const value = (await personBearer(tenant, application, reader, ['key-reader'])).slice('Bearer '.length);
    expect((await call('/v1/signing-keys', value)).status).toBe(200);
    expect((await call('/v1/signing-keys/rotate', value, { body: {} })).status).toBe(403);
    const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const all = (await personBearer(tenant, application, admin, ['authsec-admin'])).slice('Bearer '.length);
    expect((await call('/v1/signing-keys/rotate', all, { body: {} })).status).toBe(201);
    const listed = await (await call('/v1/signing-keys', all)).text();
    expect(listed).not.toMatch(/sealed|"d"|"x"/);
  });

  test("another tenant's operator reaches only the keys of its own tenant", async () => {
    const value = await tokenOf(client);
    const elsewhere = await server.createTenant();
    const foreign = await createOperator(elsewhere);
    const token = await tokenOf(foreign, server.url, elsewhere);
    expect((await call('/v1/signing-keys/revoke', token, { body: {} })).status).toBe(201);
    expect(await statuses(value)).toEqual(good);
    expect(await keyRows()).toMatchObject([{ status: 'active' }]);
  });
});

const readKeys = { where: { name: 'authsec:signing-keys:read' }, create: { name: 'authsec:signing-keys:read' } };
