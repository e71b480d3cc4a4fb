import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  createTestRole,
  personBearer,
  random,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
let application: TestApplication;
let sid: string;
let sub: string;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createTestApplication(tenant, { scopes: ['read'] });
  await createTestRole(tenant, 'editor', ['articles:*']);
  const person = await createTestPerson(tenant, { roles: ['editor'], scopes: ['read'] });
  sub = person.id;
  sid = (await createTestLogin(tenant, application, person, { scopes: ['read'], bound: true })).sid;
});
afterAll(() => manager.close());

async function decide(body: unknown, { by = application, key = '' } = {}) {
  const call = request(manager.app)
    .post('/v1/decisions')
    .set('Authorization', await by.bearer());
  if (key) call.set('Idempotency-Key', key);
  return call.send(body as object);
}
const get = async (id: string, authorization?: string) => {
  const call = request(manager.app).get(`/v1/decisions/${id}`);
  return authorization === undefined ? call : call.set('Authorization', authorization);
};

describe('POST 201', () => {
  test('allows what the person holds, and the decision can be read again by its id', async () => {
    const requirement = { roles: ['editor'], scopes: ['read'], requireAll: true };
    const answer = await decide({ sid, requirement, tool: 'edit' });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ allowed: true, code: 'allowed', reasons: [], sid, sub, tool: 'edit' });
    const read = await get(answer.body.decision_id, await application.bearer());
    expect([read.status, read.body]).toEqual([200, answer.body]);
  });

  test('denies with a code and a sentence for each condition that was not met', async () => {
    const requirement = { allOf: [{ role: 'admin' }, { permission: 'articles:edit' }, { scope: 'write' }] };
    const answer = await decide({ sid, requirement });
    expect(answer.body).toMatchObject({ allowed: false, code: 'requirement_not_met', tool: null });
    expect(answer.body.reasons).toHaveLength(2);
    expect(answer.body.reasons.join()).toMatch(/admin.*write/);
  });

  test('the same Idempotency-Key gives the same decision, for another question a conflict', async () => {
    const key = random();
    const body = { sid, requirement: { anyOf: [{ scope: 'read' }, { role: 'x' }] } };
    const [one, two] = await Promise.all([decide(body, { key }), decide(body, { key })]);
    expect([one.status, two.status]).toEqual([201, 201]);
    expect(two.body).toEqual(one.body);
    expect((await decide({ sid, requirement: {} }, { key })).body.code).toBe('conflict');
    expect((await decide({ sid, requirement: {} }, { key: random() })).status).toBe(201);
  });
});

describe('POST refused', () => {
  test.each<[string, number, string, () => unknown]>([
    [
      'two lists without requireAll',
      422,
      'ambiguous_requirement',
      () => ({ sid, requirement: { roles: ['a'], scopes: ['b'] } }),
    ],
    ['an unknown kind of condition', 422, 'invalid_requirement', () => ({ sid, requirement: { not: { role: 'a' } } })],
    ['an empty list', 422, 'invalid_requirement', () => ({ sid, requirement: { roles: [] } })],
    ['a wildcard that is asked for', 422, 'invalid_requirement', () => ({ sid, requirement: { permission: 'a:*' } })],
    ['no requirement', 400, 'invalid_request', () => ({ sid })],
    ['a NUL in a name', 400, 'invalid_request', () => ({ sid, requirement: { role: 'a\0b' } })],
    ['a lone surrogate in a name', 400, 'invalid_request', () => ({ sid, requirement: { role: '\ud800' } })],
    ['a session that does not exist', 404, 'not_found', () => ({ sid: random(), requirement: {} })],
  ])('%s', async (_name, status, code, body) => {
    const answer = await decide(body());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("401 without a token, 403 for a person, 404 for another application's or tenant's session", async () => {
    const body = { sid, requirement: {} };
    expect((await request(manager.app).post('/v1/decisions').send(body)).status).toBe(401);
    const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, admin, ['authsec-admin']);
    const asPerson = await request(manager.app).post('/v1/decisions').set('Authorization', authorization).send(body);
    expect(asPerson.status).toBe(403);
    expect((await decide(body, { by: await createTestApplication(tenant) })).status).toBe(404);
    const elsewhere = await manager.createTenant();
    expect((await decide(body, { by: await createTestApplication(elsewhere) })).status).toBe(404);
  });
});

describe('GET', () => {
  test('200 also for an administrator; 400, 401, 403 and 404 as everywhere', async () => {
    const { decision_id: id } = (await decide({ sid, requirement: {} })).body;
    const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
    const authorization = await personBearer(tenant, application, admin, ['authsec-admin']);
    expect((await get(id, authorization)).status).toBe(200);
    expect((await get('x', authorization)).status).toBe(400);
    expect((await get(id)).status).toBe(401);
    expect((await get(id, await personBearer(tenant, application, admin, []))).status).toBe(403);
    expect((await get(randomUUID(), authorization)).status).toBe(404);
    expect((await get(id, await (await createTestApplication(tenant)).bearer())).status).toBe(404);
    const elsewhere = await createTestApplication(await manager.createTenant(), { roles: ['authsec-admin'] });
    expect((await get(id, await elsewhere.bearer())).status).toBe(404);
  });
});
