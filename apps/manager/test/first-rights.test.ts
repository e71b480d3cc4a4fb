import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  callerOf,
  createTestApplication,
  createTestLogin,
  createTestPerson,
  personBearer,
} from './support/test-data.js';
import { createTestManager, type TestManager } from './support/test-manager.js';

const [, sql = ''] =
  /```sql\n(INSERT[^`]+)```/.exec(readFileSync(new URL('../../../docs/deploy.md', import.meta.url), 'utf8')) ?? [];

let manager: TestManager;
beforeAll(async () => {
  manager = await createTestManager();
});
afterAll(() => manager.close());

test('the rows of docs/deploy.md are rights that an administrator gives, and the feed tells of them', async () => {
  const tenant = await manager.createTenant();
  const { db } = tenant;
  const application = await createTestApplication(tenant, { scopes: ['projects:read'] });
  const person = await createTestPerson(tenant);
  const { sid } = await createTestLogin(tenant, application, person, { bound: true, scopes: ['projects:read'] });
  const judge = () => manager.container.sessions.judge(callerOf(tenant, application), sid);
  const before = await judge();
  expect(before.grants).toMatchObject({ roles: [], groups: [], scopes: [] });

  const statements = sql.split(';').filter((statement) => statement.trim() !== '');
  expect(statements).toHaveLength(5);
  for (const statement of statements) await db.$executeRawUnsafe(statement);
  const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
  const { status } = await request(manager.app)
    .put(`/v1/users/${person.id}/groups/engineering`)
    .set('Authorization', await personBearer(tenant, application, admin, ['authsec-admin']))
    .send({});
  expect(status).toBe(204);

  const after = await judge();
  expect(after.grants).toMatchObject({ roles: ['developer'], groups: ['engineering'], scopes: ['projects:read'] });
  expect(after.policyVersion).toBeGreaterThan(before.policyVersion);
  await db.$executeRaw`DELETE FROM group_roles`;
  expect((await judge()).grants).toMatchObject({ roles: [], groups: ['engineering'], scopes: [] });
});
