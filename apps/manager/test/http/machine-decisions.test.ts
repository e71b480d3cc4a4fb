import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  createTestRole,
  random,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
let machine: TestApplication;
let decider: TestApplication;
let stranger: TestApplication;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  await createTestRole(tenant, 'exporter', ['reports:export']);
  await createTestRole(tenant, 'decider', ['authsec:decisions:write']);
  await createTestRole(tenant, 'everything', ['*:*']);
});
afterAll(() => manager.close());
beforeEach(async () => {
  machine = await createTestApplication(tenant, { roles: ['exporter'] });
  decider = await createTestApplication(tenant, { roles: ['decider'] });
  stranger = await createTestApplication(tenant, { roles: ['everything'] });
});

async function decide(body: object, by = machine, key = '') {
  const call = request(manager.app)
    .post('/v1/decisions')
    .set('Authorization', await by.bearer());
  if (key) call.set('Idempotency-Key', key);
  return call.send(body);
}
const exporting = { roles: ['exporter'], permissions: ['reports:export'], requireAll: true };
const setRole = (data: object) => tenant.db.applicationRole.updateMany({ where: { applicationId: machine.id }, data });

describe('a decision about a machine', () => {
  test('goes by the roles of the application, with their permissions, by the same evaluator', async () => {
    const body = { client_id: machine.clientId, requirement: exporting, tool: 'export' };
    const answer = await decide(body);
    expect([answer.status, answer.body]).toMatchObject([
      201,
      { allowed: true, code: 'allowed', sub: machine.clientId, sid: null, tool: 'export', reasons: [] },
    ]);
    const denied = await decide({ client_id: machine.clientId, requirement: { role: 'admin' } });
    expect(denied.body).toMatchObject({ allowed: false, code: 'role_missing' });
    expect(denied.body.reasons).toHaveLength(1);
    const read = await request(manager.app)
      .get(`/v1/decisions/${answer.body.decision_id}`)
      .set('Authorization', await machine.bearer());
    expect(read.body).toEqual(answer.body);
  });

  test('denies when the role expired a second ago or was taken away, and follows the policy version', async () => {
    const ask = async () => (await decide({ client_id: machine.clientId, requirement: { role: 'exporter' } })).body;
    const before = await ask();
    expect(before.allowed).toBe(true);
    await setRole({ expiresAt: new Date(Date.now() - 1_000) });
    expect(await ask()).toMatchObject({ allowed: false, code: 'role_missing' });
    await setRole({ expiresAt: new Date(Date.now() + 60_000) });
    const after = await ask();
    expect(after.allowed).toBe(true);
    expect(BigInt(after.policy_version)).toBeGreaterThan(BigInt(before.policy_version));
    await tenant.db.applicationRole.deleteMany({ where: { applicationId: machine.id } });
    expect((await ask()).allowed).toBe(false);
  });

  test('never counts what a person of its sessions holds', async () => {
    const person = await createTestPerson(tenant, { roles: ['everything'] });
    await createTestLogin(tenant, machine, person, { bound: true });
    const answer = await decide({ client_id: machine.clientId, requirement: { permission: 'projects:delete' } });
    expect(answer.body).toMatchObject({ allowed: false, code: 'permission_missing' });
  });

  test('other than itself takes authsec:decisions:write, which *:* does not give', async () => {
    const body = { client_id: machine.clientId, requirement: { role: 'exporter' } };
    expect(await decide(body, decider)).toMatchObject({ status: 201, body: { allowed: true, sub: machine.clientId } });
    expect(await decide(body, stranger)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await decide({ ...body, client_id: 'nobody' }, decider)).status).toBe(404);
    await tenant.db.application.update({ where: { id: machine.id }, data: { status: 'disabled' } });
    expect((await decide(body, decider)).status).toBe(404);
    expect((await decide(body, machine)).status).toBe(401);
  });

  test('is the same again under its Idempotency-Key, and a conflict for another machine', async () => {
    const key = random();
    const body = { client_id: machine.clientId, requirement: { role: 'exporter' } };
    const [one, two] = await Promise.all([decide(body, decider, key), decide(body, decider, key)]);
    expect([one.status, two.body]).toEqual([201, one.body]);
    const other = await decide({ ...body, client_id: decider.clientId }, decider, key);
    expect([other.status, other.body.code]).toEqual([409, 'conflict']);
  });
});

describe('refused', () => {
  test('400 for both a session and a machine, or neither: it never falls back from one to the other', async () => {
    const requirement = {};
    const person = await createTestPerson(tenant);
    const { sid } = await createTestLogin(tenant, machine, person, { bound: true });
    for (const body of [
      { requirement },
      { requirement, sid, client_id: machine.clientId },
      { requirement, sid: null },
    ]) {
      expect(await decide(body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });

  test('401 without a token, 404 for a machine of another tenant', async () => {
    const body = { client_id: machine.clientId, requirement: {} };
    expect((await request(manager.app).post('/v1/decisions').send(body)).status).toBe(401);
    const foreign = await createTestApplication(await manager.createTenant(), { roles: ['authsec-admin'] });
    expect((await decide(body, foreign)).status).toBe(404);
  });
});
