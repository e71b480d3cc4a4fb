import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { User } from '@authsec/prisma/tenant';
import request from 'supertest';
import {
  callerOf,
  countQueries,
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
let person: User;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createTestApplication(tenant, { scopes: ['read', 'write'] });
  await createTestRole(tenant, 'editor', ['articles:*', 'comments:delete']);
  person = await createTestPerson(tenant, { roles: ['editor'], groups: ['dev'], scopes: ['read', 'write'] });
});
afterAll(() => manager.close());

async function renew(sids: unknown, by = application) {
  return request(manager.app)
    .post('/v1/sessions/renew')
    .set('Authorization', await by.bearer())
    .send({ sids });
}
const boundLogin = (of = person, options = {}) =>
  createTestLogin(tenant, application, of, { scopes: ['read', 'write'], bound: true, ...options });

describe('200', () => {
  test('keeps the order asked, names twice what is asked twice, and tells ended from active', async () => {
    const [one, two] = [await boundLogin(), await boundLogin()];
    const unknown = random();
    const answer = await renew([two.sid, unknown, one.sid, two.sid]);
    expect(answer.status).toBe(200);
    expect(
      answer.body.sessions.map((session: { sid: string; status: string }) => [session.sid, session.status]),
    ).toEqual([
      [two.sid, 'active'],
      [unknown, 'ended'],
      [one.sid, 'active'],
      [two.sid, 'active'],
    ]);
    expect(answer.body.sessions[1]).toEqual({ status: 'ended', sid: unknown, reason: 'unknown' });
  });

  test('a right that was taken away is gone, one that was given is there', async () => {
    const { sid } = await boundLogin();
    const before = (await renew([sid])).body.sessions[0];
    expect(before.grants).toMatchObject({ roles: ['editor'], permissions: ['articles:*', 'comments:delete'] });
    await tenant.db.userRole.deleteMany({ where: { userId: person.id } });
    await createTestRole(tenant, 'viewer', []);
    await tenant.db.userRole.create({
      data: { user: { connect: { id: person.id } }, role: { connect: { name: 'viewer' } } },
    });
    const after = (await renew([sid])).body.sessions[0];
    expect(after.grants).toMatchObject({ roles: ['viewer'], permissions: [] });
    expect(BigInt(after.policy_version)).toBeGreaterThan(BigInt(before.policy_version));
  });

  test('a scope that the application may no longer ask for is gone, one not approved at login does not come', async () => {
    const narrow = await boundLogin(person, { scopes: ['read'] });
    const wide = await boundLogin();
    await tenant.db.application.update({ where: { id: application.id }, data: { scopes: ['read'] } });
    const sessions = (await renew([narrow.sid, wide.sid])).body.sessions;
    expect(sessions.map((session: { grants: { scopes: string[] } }) => session.grants.scopes)).toEqual([
      ['read'],
      ['read'],
    ]);
    await tenant.db.application.update({ where: { id: application.id }, data: { scopes: ['read', 'write'] } });
    expect((await renew([narrow.sid])).body.sessions[0].grants.scopes).toEqual(['read']);
  });

  test('the lease is not longer than the first assignment to end, and an expired one gives nothing', async () => {
    const temporary = await createTestPerson(tenant, { roles: ['short', 'gone'] });
    const until = (name: string, ms: number) =>
      tenant.db.userRole.updateMany({
        where: { userId: temporary.id, role: { name } },
        data: { expiresAt: new Date(Date.now() + ms) },
      });
    await until('short', 10_000);
    await until('gone', -1);
    const { sid } = await boundLogin(temporary);
    const session = (await renew([sid])).body.sessions[0];
    expect(session.grants.roles).toEqual(['short']);
    expect(session.lease_seconds).toBeLessThanOrEqual(10);
    expect(session.horizon_seconds).toBe(session.lease_seconds);
  });

  test('says why a session ended', async () => {
    const disabled = await createTestPerson(tenant);
    const [loggedOut, revoked, expired, unbound] = [
      await boundLogin(),
      await boundLogin(),
      await boundLogin(person, { expiresAt: new Date(Date.now() - 1) }),
      await boundLogin(person, { bound: false }),
    ];
    const lame = await boundLogin(disabled);
    await tenant.db.user.update({ where: { id: disabled.id }, data: { status: 'disabled' } });
    const end = (sid: string, reason: 'logged_out' | 'revoked') =>
      manager.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason });
    await end(loggedOut.sid, 'logged_out');
    await end(revoked.sid, 'revoked');
    const sids = [loggedOut, revoked, expired, unbound, lame].map((login) => login.sid);
    expect((await renew(sids)).body.sessions.map((session: { reason: string }) => session.reason)).toEqual([
      'logged_out',
      'revoked',
      'expired',
      'unknown',
      'user_disabled',
    ]);
  });

  test("another application's session is as unknown as one that does not exist", async () => {
    const { sid } = await boundLogin();
    const stranger = await createTestApplication(tenant);
    expect((await renew([sid], stranger)).body.sessions).toEqual([{ status: 'ended', sid, reason: 'unknown' }]);
  });

  test('500 sessions cost as many queries as one', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => createTestPerson(tenant, { roles: ['editor'] })));
    const rows = Array.from({ length: 500 }, (_, index) => ({
      id: random(),
      userId: people[index % 10]!.id,
      applicationId: application.id,
      mcpSession: random(),
      expiresAt: new Date(Date.now() + 3_600_000),
      boundAt: new Date(),
    }));
    await tenant.db.session.createMany({ data: rows });
    const { db, queries } = countQueries(tenant);
    const caller = { ...callerOf(tenant, application), db };
    const renewAndCount = async (sids: string[]) => {
      const before = queries();
      const states = await manager.container.sessions.renew(caller, sids);
      expect(new Set(states.map((state) => state.status))).toEqual(new Set(['active']));
      return queries() - before;
    };
    const one = await renewAndCount([rows[0]!.id]);
    expect(await renewAndCount(rows.map((row) => row.id))).toBe(one);
  });
});

test('the policy version is not newer than any of what stands beside it', async () => {
  const { sid } = await boundLogin();
  let changed = false;
  const db = tenant.db.$extends({
    query: {
      async $allOperations({ args, query }) {
        const result: unknown = await query(args);
        // Between the read of the sessions and that of the rights, the application loses a scope.
        if (!changed) {
          changed = true;
          await tenant.db.application.update({ where: { id: application.id }, data: { scopes: ['write'] } });
        }
        return result;
      },
    },
  }) as unknown as typeof tenant.db;
  const before = await tenant.db.policyState.findFirstOrThrow();
  const [state] = await manager.container.sessions.renew({ ...callerOf(tenant, application), db }, [sid]);
  await tenant.db.application.update({ where: { id: application.id }, data: { scopes: ['read', 'write'] } });
  expect(state).toMatchObject({ status: 'active', policy_version: before.policyVersion.toString() });
});

describe('400', () => {
  test.each<[string, unknown]>([
    ['no sid', []],
    ['what is no sid', ['x']],
    ['more than 500', Array.from({ length: 501 }, () => random())],
    ['no list', 'x'],
    ['null', [null]],
  ])('for %s', async (_name, sids) => {
    const answer = await renew(sids);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.errors[0].pointer).toMatch(/^\/sids/);
  });
});

test('401 without a token', async () => {
  expect(
    (
      await request(manager.app)
        .post('/v1/sessions/renew')
        .send({ sids: [random()] })
    ).status,
  ).toBe(401);
});

test('403 for a person, whatever they hold: sessions are renewed by their application', async () => {
  const admin = await createTestPerson(tenant, { roles: ['authsec-admin'] });
  const authorization = await personBearer(tenant, application, admin, ['authsec-admin']);
  const answer = await request(manager.app)
    .post('/v1/sessions/renew')
    .set('Authorization', authorization)
    .send({ sids: [random()] });
  expect(answer.status).toBe(403);
});

test("another tenant's session is unknown", async () => {
  const elsewhere = await manager.createTenant();
  const { sid } = await boundLogin();
  const theirs = await createTestApplication(elsewhere);
  expect((await renew([sid], theirs)).body.sessions).toEqual([{ status: 'ended', sid, reason: 'unknown' }]);
});
