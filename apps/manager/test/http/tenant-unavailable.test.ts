import { Client, escapeIdentifier } from 'pg';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestApplication, type TestApplication } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let admin: Client;
let down: TestTenant;
let up: TestTenant;
let applications: { down: TestApplication; up: TestApplication };

beforeAll(async () => {
  manager = await createTestManager();
  [down, up] = [await manager.createTenant(), await manager.createTenant()];
  applications = { down: await createTestApplication(down), up: await createTestApplication(up) };
  admin = new Client({ connectionString: process.env.AUTHSEC_TEST_DATABASE_URL! });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await manager.close();
});

const call = async (application: TestApplication) =>
  request(manager.app)
    .get('/v1/sessions')
    .set('Authorization', await application.bearer());

test('503 for the tenant whose database is away, 200 for the other, and 200 again when it is back', async () => {
  expect((await call(applications.down)).status).toBe(200);
  const database = `tenant_${down.id}`;
  await admin.query(`ALTER DATABASE ${escapeIdentifier(database)} ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database]);
  const answer = await call(applications.down);
  expect([answer.status, answer.body.code]).toEqual([503, 'tenant_unavailable']);
  expect(answer.text).not.toContain(database);
  expect((await call(applications.up)).status).toBe(200);
  await admin.query(`ALTER DATABASE ${escapeIdentifier(database)} ALLOW_CONNECTIONS true`);
  manager.container.tenants.forget(down.id);
  expect((await call(applications.down)).status).toBe(200);
});

test('503 for a tenant that is suspended', async () => {
  await manager.container.master.tenant.update({ where: { id: down.id }, data: { status: 'suspended' } });
  manager.container.tenants.forget(down.id);
  const answer = await call(applications.down);
  expect([answer.status, answer.body.code]).toEqual([503, 'tenant_unavailable']);
  expect((await call(applications.up)).status).toBe(200);
});
