import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  personBearer,
  random,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';
import { forgedTokens, withTrailingBits } from '../support/token-attacks.js';

let manager: TestManager;
let tenant: TestTenant;
let other: TestTenant;
let application: TestApplication;
const path = '/v1/sessions';

beforeAll(async () => {
  manager = await createTestManager();
  [tenant, other] = [await manager.createTenant(), await manager.createTenant()];
  application = await createTestApplication(tenant);
});
afterAll(() => manager.close());

const call = (authorization?: string) => {
  const one = request(manager.app).get(path);
  return authorization === undefined ? one : one.set('Authorization', authorization);
};

test('a good token is taken', async () => {
  expect((await call(await application.bearer())).status).toBe(200);
});

test('each forged token gives 401 with a challenge and nothing else', async () => {
  const claims = {
    sub: application.clientId,
    client_id: application.clientId,
    aud: `${tenant.issuer}/v1`,
    jti: randomUUID(),
  };
  const forged = await forgedTokens({ manager, tenant, other, claims });
  const taken: string[] = [];
  for (const [name, token] of forged) {
    const answer = await call(`Bearer ${token}`);
    const refused =
      answer.status === 401 &&
      answer.body.code === 'invalid_token' &&
      answer.headers['www-authenticate'] === 'Bearer error="invalid_token"';
    if (!refused) taken.push(`${name}: ${answer.status} ${answer.body.code}`);
  }
  expect(taken).toEqual([]);
  expect(forged.length).toBeGreaterThan(40);
});

test('the other spelling of a signature is refused though it decodes to the same bytes', async () => {
  const token = (await application.bearer()).slice('Bearer '.length);
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const respelt = withTrailingBits(signature);
  expect(Buffer.from(respelt, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
  expect((await call(`Bearer ${header}.${payload}.${respelt}`)).status).toBe(401);
});

describe('401', () => {
  test('without a token, with a challenge that names no error (RFC 6750)', async () => {
    const answer = await call();
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(answer.body).toMatchObject({ code: 'invalid_token', status: 401 });
  });

  test.each(['Basic eDp5', 'Bearer', 'Bearer  ', 'token x', 'Bearer a b', 'DPoP x'])(
    'for %j',
    async (authorization) => {
      expect((await call(authorization)).status).toBe(401);
    },
  );

  test('for a token in the query', async () => {
    const token = (await application.bearer()).slice('Bearer '.length);
    expect((await request(manager.app).get(`${path}?access_token=${token}`)).status).toBe(401);
  });

  test('for an in-band token of a person', async () => {
    const person = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const login = await createTestLogin(tenant, application, person);
    const forApi = await login.token({ aud: `${tenant.issuer}/v1`, roles: ['authsec-admin'] });
    expect((await call(`Bearer ${await login.token()}`)).status).toBe(401);
    expect((await call(`Bearer ${forApi}`)).status).toBe(401);
    const { sid } = await createTestLogin(tenant, application, person, { inBand: false });
    const claims = { sub: person.id, client_id: application.clientId, sid, roles: ['authsec-admin'] };
    expect((await call(`Bearer ${await tenant.sign(claims)}`)).status).toBe(200);
    expect((await call(`Bearer ${await tenant.sign({ ...claims, mcp_session: random() })}`)).status).toBe(401);
  });

  test('for a token that was revoked, by its jti', async () => {
    const jti = randomUUID();
    const authorization = await application.bearer({ jti });
    expect((await call(authorization)).status).toBe(200);
    await tenant.db.revokedToken.create({ data: { jti, expiresAt: new Date(Date.now() + 900_000) } });
    expect((await call(authorization)).status).toBe(401);
  });

  test('for a token of an application that was disabled', async () => {
    const disabled = await createTestApplication(tenant);
    await tenant.db.application.update({ where: { id: disabled.id }, data: { status: 'disabled' } });
    expect((await call(await disabled.bearer())).status).toBe(401);
  });

  test('for a token with a sub that is neither the application nor a login', async () => {
    expect((await call(await application.bearer({ sub: random() }))).status).toBe(401);
    expect((await call(await application.bearer({ sub: random(), sid: random() }))).status).toBe(401);
  });

  test("for a person's token as soon as the login ended or the person was disabled", async () => {
    const person = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, person, ['authsec-admin']);
    expect((await call(authorization)).status).toBe(200);
    await tenant.db.user.update({ where: { id: person.id }, data: { status: 'disabled' } });
    expect((await call(authorization)).status).toBe(401);
  });
});

describe('403', () => {
  test('for a person without the permission, though the token claims a role that has it', async () => {
    const person = await createTestPerson(tenant);
    const answer = await call(await personBearer(tenant, application, person, ['authsec-admin']));
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_permission']);
    expect(answer.headers['www-authenticate']).toBe('Bearer error="insufficient_scope"');
  });

  test('for a person who holds the role, where the token does not claim it', async () => {
    const person = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    expect((await call(await personBearer(tenant, application, person, []))).status).toBe(403);
  });

  test('for a role that expired a second ago', async () => {
    const person = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, person, ['authsec-admin']);
    await tenant.db.userRole.updateMany({
      where: { userId: person.id },
      data: { expiresAt: new Date(Date.now() - 1_000) },
    });
    expect((await call(authorization)).status).toBe(403);
  });

  test('for a role with *:*, which gives no right on AuthSec itself', async () => {
    await tenant.db.role.create({
      data: { name: 'everything', permissions: { create: { permission: { create: { name: '*:*' } } } } },
    });
    const person = await createTestPerson(tenant, { roles: ['everything'] });
    expect((await call(await personBearer(tenant, application, person, ['everything']))).status).toBe(403);
    const machine = await createTestApplication(tenant, { roles: ['everything'] });
    const answer = await request(manager.app)
      .get('/v1/users')
      .set('Authorization', await machine.bearer());
    expect(answer.status).toBe(403);
  });

  test('for tenants, to an administrator of a tenant that is not the system tenant', async () => {
    const machine = await createTestApplication(tenant, { roles: ['authsec-admin'] });
    const answer = await request(manager.app)
      .get('/v1/tenants')
      .set('Authorization', await machine.bearer());
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_permission']);
  });
});

test('an address that keeps showing tokens that are refused has to wait', async () => {
  const { app } = await manager.another();
  let answer = await request(app).get(path).set('Authorization', 'Bearer x');
  for (let i = 0; i < 150 && answer.status === 401; i++) {
    answer = await request(app).get(path).set('Authorization', 'Bearer x');
  }
  expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(
    (
      await request(app)
        .get(path)
        .set('Authorization', await application.bearer())
    ).status,
  ).toBe(200);
});
