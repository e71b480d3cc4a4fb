import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestApplication, createTestPerson, personBearer } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let system: TestTenant;
let tenant: TestTenant;
let operator: string;
let stranger: string;
let nobody: string;

beforeAll(async () => {
  manager = await createTestManager();
  system = await manager.createTenant({ isSystem: true });
  tenant = await manager.createTenant();
  const application = await createTestApplication(system);
  const person = await createTestPerson(system, { roles: ['authsec-admin'] });
  operator = await personBearer(system, application, person, ['authsec-admin']);
  nobody = await personBearer(system, application, await createTestPerson(system), []);
  stranger = await (await createTestApplication(tenant, { roles: ['authsec-admin'] })).bearer();
});
afterAll(() => manager.close());

const call = async (method: 'get' | 'put', path: string, authorization: string | null, body?: object) => {
  const one = request(manager.app)[method](path);
  if (authorization !== null) one.set('Authorization', authorization);
  return body === undefined ? one : one.send(body);
};

test('200: operators list and read tenants', async () => {
  const list = await call('get', '/v1/tenants', operator);
  expect(list.body.tenants.map((one: { tenant_id: string }) => one.tenant_id).sort()).toEqual(
    [system.id, tenant.id].sort(),
  );
  const one = await call('get', `/v1/tenants/${tenant.id}`, operator);
  expect(one.body).toMatchObject({ tenant_id: tenant.id, status: 'active', issuer: tenant.issuer });
  expect(one.text).not.toContain('postgres');
});

test('200: PUT provisions a tenant that can be used at once, and sets its display name when asked again', async () => {
  const id = manager.newTenantId();
  const made = await call('put', `/v1/tenants/${id}`, operator, { display_name: 'New' });
  expect([made.status, made.body]).toEqual([200, expect.objectContaining({ tenant_id: id, status: 'active' })]);
  expect(await (await manager.container.tenants.open(id)).signingKey.count()).toBe(1);
  const again = await call('put', `/v1/tenants/${id}`, operator, { display_name: 'Newer' });
  expect(again.body).toEqual({ ...made.body, display_name: 'Newer' });
  const own = await call('put', `/v1/tenants/${system.id}`, operator, { display_name: 'Operators' });
  expect([own.status, own.body.display_name]).toEqual([200, 'Operators']);
});

test('400 for an id that cannot be or is reserved', async () => {
  for (const id of ['X', 'a', 'admin', `t${'x'.repeat(40)}`]) {
    const answer = await call('put', `/v1/tenants/${id}`, operator, { display_name: 'x' });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  }
});

test('401 without a token, 403 without the permission, and in any tenant but the system tenant', async () => {
  const id = `t${randomBytes(6).toString('hex')}`;
  const calls = [
    ['get', '/v1/tenants', undefined],
    ['get', `/v1/tenants/${tenant.id}`, undefined],
    ['put', `/v1/tenants/${id}`, { display_name: 'x' }],
  ] as const;
  for (const [method, path, body] of calls) {
    expect((await call(method, path, null, body)).status).toBe(401);
    expect((await call(method, path, nobody, body)).status).toBe(403);
    expect((await call(method, path, stranger, body)).status).toBe(403);
  }
  expect((await call('get', `/v1/tenants/${id}`, operator)).status).toBe(404);
});

test('a tenant that gives itself authsec:tenants:* gets nothing by it', async () => {
  await tenant.db.role.create({
    data: { name: 'pretender', permissions: { create: { permission: { create: { name: 'authsec:tenants:*' } } } } },
  });
  const pretender = await createTestApplication(tenant, { roles: ['pretender'] });
  expect((await call('get', '/v1/tenants', await pretender.bearer())).status).toBe(403);
});

test('operators reach nothing inside of tenants', async () => {
  const { id } = await createTestPerson(tenant);
  expect((await call('get', `/v1/users/${id}`, operator)).status).toBe(404);
});
