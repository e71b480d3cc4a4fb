import type { Route } from '@authsec/manager-client/contract';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { contractRoutes } from '../../src/http/routes.js';
import { callerOf, createTestLogin, createTestPerson, createTestRole, random } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
let application: Awaited<ReturnType<typeof createPublicApplication>>;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createPublicApplication();
});
afterAll(() => manager.close());

function createPublicApplication() {
  return tenant.db.application.create({
    data: {
      clientId: `app_${random(6)}`,
      name: 'On a desk',
      tokenEndpointAuthMethod: 'none',
      applicationType: 'native',
      redirectUris: ['http://127.0.0.1/callback'],
      grantTypes: ['authorization_code', 'refresh_token'],
      scopes: ['read'],
    },
  });
}

/** A login with the token that its token response gives for the API. */
async function logIn(options: { bound?: boolean; on?: typeof application; roles?: string[] } = {}) {
  const { bound = true, on = application, roles = [] } = options;
  const person = await createTestPerson(tenant, { roles });
  const login = await createTestLogin(tenant, on, person, { bound });
  const bearer = async (claims: Record<string, unknown> = {}) =>
    `Bearer ${await tenant.sign({ sub: person.id, client_id: on.clientId, sid: login.sid, ...claims })}`;
  return { ...login, person, bearer };
}

const examples: Record<string, string> = {
  sid: 'a'.repeat(20),
  user_id: '00000000-0000-4000-8000-000000000000',
  decision_id: '00000000-0000-4000-8000-000000000000',
  tenant_id: 'acme-corp',
  kind: 'roles',
  name: 'admin',
  digest: 'd'.repeat(43),
};
const pathOf = (route: Route) =>
  route.path.replaceAll(/:(\w+)/g, (_match, name: string) => examples[name] ?? examples['user_id']!);
const everyRoute = contractRoutes().map((route): [string, Route] => [`${route.method} ${route.path}`, route]);
const open = [
  'POST /v1/sessions',
  'POST /v1/sessions/renew',
  'GET /v1/sessions/:sid',
  'DELETE /v1/sessions/:sid',
  'GET /v1/changes',
  'POST /v1/service-credentials',
  'POST /v1/service-leases/:lease_id/renew',
  'DELETE /v1/service-leases/:lease_id',
  'POST /v1/service-connections',
];
const send = (route: Route, authorization: string) =>
  request(manager.app)[route.method.toLowerCase() as 'get'](pathOf(route)).set('Authorization', authorization).send({});

describe('the token of one session', () => {
  test('is taken where the route table says so: at its session, its changes and its services', () => {
    const said = contractRoutes().filter(({ access }) => access.session);
    expect(said.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([...open].sort());
  });

  test.each(everyRoute.filter(([, { access }]) => !access.session))('403 elsewhere: %s', async (_name, route) => {
    const { bearer } = await logIn({ roles: ['everything'] });
    const answer = await send(route, await bearer());
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_permission']);
  });

  test('403 elsewhere even for a person whose role holds every permission', async () => {
    await createTestRole(tenant, 'owner', ['authsec:*:*', 'authsec:users:read']);
    const { bearer } = await logIn({ roles: ['owner'] });
    const answer = await request(manager.app)
      .get('/v1/users')
      .set('Authorization', await bearer({ roles: ['owner'] }));
    expect(answer.status).toBe(403);
    const listed = await request(manager.app)
      .get('/v1/sessions')
      .set('Authorization', await bearer({ roles: ['owner'] }));
    expect(listed.status).toBe(403);
  });

  test.each<[string, () => Promise<string>]>([
    [
      'of a session that has ended',
      async () => {
        const { sid, bearer } = await logIn();
        await manager.container.sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'revoked' });
        return bearer();
      },
    ],
    [
      'of a person who is disabled',
      async () => {
        const { person, bearer } = await logIn();
        await tenant.db.user.update({ where: { id: person.id }, data: { status: 'disabled' } });
        return bearer();
      },
    ],
    [
      'of another person’s session',
      async () => {
        const [one, other] = [await logIn(), await logIn()];
        return one.bearer({ sub: other.person.id });
      },
    ],
    [
      'of another application’s session',
      async () => {
        const other = await createPublicApplication();
        return (await logIn()).bearer({ client_id: other.clientId });
      },
    ],
    ['of a session that never was', async () => (await logIn()).bearer({ sid: random() })],
    [
      'with the in-band session in it, as a token to be bound has',
      async () => (await logIn()).bearer({ mcp_session: random() }),
    ],
    [
      'for the application instead of the API',
      async () => (await logIn()).bearer({ aud: `urn:authsec:application:${application.clientId}` }),
    ],
    ['that has expired', async () => (await logIn()).bearer({ exp: Math.floor(Date.now() / 1000) - 60 })],
    [
      'of an application that has tokens of its own',
      async () => {
        const on = await createPublicApplication();
        const { bearer } = await logIn({ on });
        await tenant.db.application.update({
          where: { id: on.id },
          data: { tokenEndpointAuthMethod: 'client_secret_basic', clientSecretHash: 'x' },
        });
        return bearer();
      },
    ],
    [
      'of an application that is disabled',
      async () => {
        const on = await createPublicApplication();
        const { bearer } = await logIn({ on });
        await tenant.db.application.update({ where: { id: on.id }, data: { status: 'disabled' } });
        return bearer();
      },
    ],
  ])('401 where it is one %s', async (_name, make) => {
    const answer = await request(manager.app)
      .get('/v1/changes?wait=0')
      .set('Authorization', await make());
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
  });
});

describe('at its own session, and at no other of the same application and person', () => {
  test('binds it', async () => {
    const login = await logIn({ bound: false });
    const body = { access_token: await login.token(), mcp_session: login.mcpSession };
    const answer = await request(manager.app)
      .post('/v1/sessions')
      .set('Authorization', await login.bearer())
      .send(body);
    expect([answer.status, answer.body.sid]).toEqual([201, login.sid]);
  });

  test('does not bind another', async () => {
    const [own, other] = [await logIn({ bound: false }), await logIn({ bound: false })];
    const body = { access_token: await other.token(), mcp_session: other.mcpSession };
    const answer = await request(manager.app)
      .post('/v1/sessions')
      .set('Authorization', await own.bearer())
      .send(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'person_token_invalid']);
    expect(await tenant.db.session.findUnique({ where: { id: other.sid } })).toMatchObject({ boundAt: null });
  });

  test('renews it, and finds another unknown', async () => {
    const [own, other] = [await logIn(), await logIn()];
    const answer = await request(manager.app)
      .post('/v1/sessions/renew')
      .set('Authorization', await own.bearer())
      .send({ sids: [own.sid, other.sid], manifests: [{ sid: other.sid, digest: 'd'.repeat(43) }] });
    expect(answer.body.sessions).toMatchObject([
      { sid: own.sid, status: 'active', email: own.person.email },
      { sid: other.sid, status: 'ended', reason: 'unknown' },
    ]);
    expect(await tenant.db.session.findUnique({ where: { id: other.sid } })).toMatchObject({ manifestDigest: null });
  });

  test('reads it, and finds another not', async () => {
    const [own, other] = [await logIn(), await logIn()];
    const authorization = await own.bearer();
    const read = (sid: string) => request(manager.app).get(`/v1/sessions/${sid}`).set('Authorization', authorization);
    expect((await read(own.sid)).body).toMatchObject({ sid: own.sid, email: own.person.email });
    expect((await read(other.sid)).body.code).toBe('not_found');
  });

  test('ends it, and no other, in the name of the person', async () => {
    const [own, other] = [await logIn(), await logIn()];
    const authorization = await own.bearer();
    const end = (sid: string) =>
      request(manager.app).delete(`/v1/sessions/${sid}?reason=logged_out`).set('Authorization', authorization);
    expect((await end(other.sid)).status).toBe(404);
    expect(await tenant.db.session.findUnique({ where: { id: other.sid } })).toMatchObject({ endedAt: null });
    expect((await end(own.sid)).status).toBe(204);
    expect(await tenant.db.session.findUnique({ where: { id: own.sid } })).toMatchObject({ endReason: 'logged_out' });
    const event = await tenant.db.auditEvent.findFirst({ where: { targetId: own.sid, action: 'session.end' } });
    expect(event).toMatchObject({ actorKind: 'user', actorId: own.person.id });
  });

  test('hears of its own end, and of no other', async () => {
    const [own, other] = [await logIn(), await logIn()];
    const { changes, clock, sessions } = manager.container;
    const caller = { ...callerOf(tenant, application), kind: 'session', reach: 'session', sid: own.sid } as const;
    const poll = (after: string | undefined, waitSeconds: number) => {
      const receivedAt = clock.monotonic();
      return changes.poll({ caller, after, waitSeconds, receivedAt, signal: new AbortController().signal });
    };
    const end = (sid: string) => sessions.endSession({ tenantId: tenant.id, db: tenant.db, sid, reason: 'revoked' });
    const { cursor } = await poll(undefined, 0);
    await end(other.sid);
    const first = await poll(cursor, 0);
    expect(first.ended).toEqual([]);
    const held = poll(first.cursor, 20);
    await end(own.sid);
    expect((await held).ended).toEqual([{ sid: own.sid, reason: 'revoked' }]);
  });

  test('does not use up the polls of everyone else’s sessions', async () => {
    const logins = await Promise.all(Array.from({ length: 12 }, () => logIn()));
    const answers = await Promise.all(
      logins.map(async ({ bearer }) =>
        request(manager.app)
          .get('/v1/changes?wait=0')
          .set('Authorization', await bearer()),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(logins.map(() => 200));
  });
});
