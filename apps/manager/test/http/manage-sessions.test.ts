import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { User } from '@authsec/prisma/tenant';
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

let manager: TestManager;
let tenant: TestTenant;
let application: TestApplication;
let stranger: TestApplication;
let admin: string;
let nobody: string;
let elsewhere: string;
let person: User;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createTestApplication(tenant);
  stranger = await createTestApplication(tenant);
  person = await createTestPerson(tenant);
  const operator = await createTestPerson(tenant, { roles: ['authsec-admin'] });
  admin = await personBearer(tenant, stranger, operator, ['authsec-admin']);
  nobody = await personBearer(tenant, stranger, person, []);
  const other = await manager.createTenant();
  elsewhere = await (await createTestApplication(other, { roles: ['authsec-admin'] })).bearer();
});
afterAll(() => manager.close());

const login = (options = {}) => createTestLogin(tenant, application, person, { bound: true, ...options });
const call = async (method: 'get' | 'delete', path: string, authorization?: string) => {
  const one = request(manager.app)[method](path);
  return authorization === undefined ? one : one.set('Authorization', authorization);
};

describe('GET /v1/sessions', () => {
  test('200: an application sees its own, an administrator all; no token, no transport session in it', async () => {
    const one = await login();
    const other = await createTestLogin(tenant, stranger, person, { bound: true });
    const own = await call('get', '/v1/sessions?limit=200', await application.bearer());
    const sids = own.body.sessions.map((session: { sid: string }) => session.sid);
    expect(sids).toContain(one.sid);
    expect(sids).not.toContain(other.sid);
    expect(own.text).not.toContain(one.mcpSession);
    const all = await call('get', '/v1/sessions?limit=200', admin);
    expect(all.body.sessions.map((session: { sid: string }) => session.sid)).toEqual(
      expect.arrayContaining([one.sid, other.sid]),
    );
  });

  test('200: by person and page by page, each once', async () => {
    const someone = await createTestPerson(tenant);
    const made = await Promise.all(
      Array.from({ length: 5 }, () => createTestLogin(tenant, application, someone, { bound: true })),
    );
    const seen: string[] = [];
    let after = '';
    for (let page = 0; page < 5; page++) {
      const answer = await call('get', `/v1/sessions?sub=${someone.id}&limit=2${after}`, await application.bearer());
      seen.push(...answer.body.sessions.map((session: { sid: string }) => session.sid));
      if (answer.body.next === null) break;
      after = `&after=${answer.body.next}`;
    }
    expect(seen).toEqual(made.map((one) => one.sid).sort());
    expect((await call('get', '/v1/sessions?sub=not-a-uuid', admin)).body).toEqual({ sessions: [], next: null });
  });

  test.each(['limit=0', 'limit=201', 'limit=x', 'tenant=other', 'limit=1&limit=2', 'sub=%00', 'after='])(
    '400: ?%s',
    async (query) => {
      const answer = await call('get', `/v1/sessions?${query}`, admin);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    },
  );

  test('401 without a token, 403 without the permission', async () => {
    expect((await call('get', '/v1/sessions')).status).toBe(401);
    expect((await call('get', '/v1/sessions', nobody)).status).toBe(403);
  });

  test('nothing of it is seen from another tenant', async () => {
    await login();
    expect((await call('get', '/v1/sessions', elsewhere)).body.sessions).toEqual([]);
  });
});

describe('GET /v1/sessions/:sid', () => {
  test('200: to its application and to an administrator', async () => {
    const { sid } = await login();
    for (const authorization of [await application.bearer(), admin]) {
      const answer = await call('get', `/v1/sessions/${sid}`, authorization);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ sid, client_id: application.clientId, sub: person.id, ended_at: null });
    }
  });

  test('400 for what cannot be a sid', async () => {
    expect((await call('get', '/v1/sessions/short', admin)).status).toBe(400);
    expect((await call('get', '/v1/sessions/%E0%A4%A', admin)).body.code).toBe('invalid_request');
  });

  test('401 without a token, 403 without the permission', async () => {
    const { sid } = await login();
    expect((await call('get', `/v1/sessions/${sid}`)).status).toBe(401);
    expect((await call('get', `/v1/sessions/${sid}`, nobody)).status).toBe(403);
  });

  test("404 alike for another tenant's, another application's and one that does not exist", async () => {
    const { sid } = await login();
    const answers = [
      await call('get', `/v1/sessions/${sid}`, elsewhere),
      await call('get', `/v1/sessions/${sid}`, await stranger.bearer()),
      await call('get', `/v1/sessions/${random()}`, admin),
    ];
    for (const answer of answers) {
      const { request_id: _id, ...problem } = answer.body;
      expect([answer.status, problem]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
      expect(problem).toEqual({ ...answers[0]!.body, request_id: undefined });
    }
  });
});

describe('DELETE /v1/sessions/:sid', () => {
  test('204, again 204, and the session and the rows of its grant are gone', async () => {
    const { sid } = await login();
    const keep = await login();
    const rows = [sid, keep.sid].map((grantId) => ({ model: 'RefreshToken', idHash: random(), payload: {}, grantId }));
    await tenant.db.providerModel.createMany({ data: rows });
    expect((await call('delete', `/v1/sessions/${sid}?reason=logged_out`, await application.bearer())).status).toBe(
      204,
    );
    const once = await tenant.db.session.findUniqueOrThrow({ where: { id: sid } });
    expect((await call('delete', `/v1/sessions/${sid}`, admin)).status).toBe(204);
    const twice = await tenant.db.session.findUniqueOrThrow({ where: { id: sid } });
    expect(once.endReason).toBe('logged_out');
    const events = await tenant.db.auditEvent.findMany({ where: { action: 'session.end', targetId: sid } });
    expect(events).toMatchObject([{ actorKind: 'application', details: { reason: 'logged_out' } }]);
    expect(twice).toEqual(once);
    const left = await tenant.db.providerModel.findMany({ where: { grantId: { in: [sid, keep.sid] } } });
    expect(left.map((row) => row.grantId)).toEqual([keep.sid]);
  });

  test('each end takes a place of its own in the feed, also when many come at the same moment', async () => {
    const logins = await Promise.all(Array.from({ length: 8 }, () => login()));
    await Promise.all(logins.flatMap(({ sid }) => [1, 2].map(() => call('delete', `/v1/sessions/${sid}`, admin))));
    const ended = await tenant.db.session.findMany({ where: { id: { in: logins.map((one) => one.sid) } } });
    expect(new Set(ended.map((row) => row.endedSequence)).size).toBe(8);
  });

  test('400 for another reason', async () => {
    const { sid } = await login();
    expect((await call('delete', `/v1/sessions/${sid}?reason=other`, admin)).status).toBe(400);
  });

  test('401 without a token, 403 without the permission; the session lives', async () => {
    const { sid } = await login();
    expect((await call('delete', `/v1/sessions/${sid}`)).status).toBe(401);
    expect((await call('delete', `/v1/sessions/${sid}`, nobody)).status).toBe(403);
    expect((await tenant.db.session.findUniqueOrThrow({ where: { id: sid } })).endedAt).toBeNull();
  });

  test("404 for another tenant's and another application's; the session lives", async () => {
    const { sid } = await login();
    expect((await call('delete', `/v1/sessions/${sid}`, elsewhere)).status).toBe(404);
    expect((await call('delete', `/v1/sessions/${sid}`, await stranger.bearer())).status).toBe(404);
    expect((await tenant.db.session.findUniqueOrThrow({ where: { id: sid } })).endedAt).toBeNull();
  });
});
