import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  random,
  type TestApplication,
} from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
let application: TestApplication;

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  application = await createTestApplication(tenant, { scopes: ['read', 'write'] });
});
afterAll(() => manager.close());

async function bind(body: object, { app = manager.app, by = application, key = '' } = {}) {
  const call = request(app)
    .post('/v1/sessions')
    .set('Authorization', await by.bearer());
  if (key) call.set('Idempotency-Key', key);
  return call.send(body);
}

describe('201', () => {
  test('gives what the person holds now, of scopes only what was approved and the application may ask', async () => {
    const person = await createTestPerson(tenant, {
      roles: ['admin'],
      groups: ['dev'],
      scopes: ['read', 'write', 'secret'],
      resources: ['analytics'],
    });
    const login = await createTestLogin(tenant, application, person, { scopes: ['read', 'secret'] });
    const answer = await bind({ access_token: await login.token(), mcp_session: login.mcpSession });
    expect(answer.status).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toMatchObject({
      status: 'active',
      sid: login.sid,
      tenant_id: tenant.id,
      sub: person.id,
      email: person.email,
      grants: { roles: ['admin'], groups: ['dev'], scopes: ['read'], resources: ['analytics'], permissions: [] },
      lease_seconds: 30,
    });
    expect(answer.body.horizon_seconds).toBeGreaterThan(3_500);
  });

  test('is given again under the same Idempotency-Key, and under no other', async () => {
    const login = await createTestLogin(tenant, application, await createTestPerson(tenant));
    const body = { access_token: await login.token(), mcp_session: login.mcpSession };
    expect((await bind(body, { key: 'first-attempt' })).status).toBe(201);
    expect((await bind(body, { key: 'first-attempt' })).status).toBe(201);
    const other = await bind(body, { key: 'second-attempt' });
    expect([other.status, other.body.code]).toEqual([409, 'token_already_used']);
    expect((await bind(body)).body.code).toBe('token_already_used');
  });

  test('exactly one of four requests at the same moment at two Managers on one database', async () => {
    const second = await manager.another();
    for (let round = 0; round < 5; round++) {
      const login = await createTestLogin(tenant, application, await createTestPerson(tenant));
      const body = { access_token: await login.token(), mcp_session: login.mcpSession };
      const apps = [manager.app, second.app, manager.app, second.app];
      const answers = await Promise.all(
        apps.map((app, index) => bind(body, { app, key: `attempt-${round}-${index}` })),
      );
      const statuses = answers.map((answer) => answer.status);
      expect([201, 409].map((status) => statuses.filter((one) => one === status).length)).toEqual([1, 3]);
    }
  });
});

describe('refused', () => {
  let login: Awaited<ReturnType<typeof createTestLogin>>;
  beforeAll(async () => {
    login = await createTestLogin(tenant, application, await createTestPerson(tenant));
  });

  const cases: [string, number, string, () => Promise<object>][] = [
    ['a body that is not the contract', 400, 'invalid_request', async () => ({ access_token: 'x' })],
    [
      'a tenant named in the body',
      400,
      'invalid_request',
      async () => ({ access_token: await login.token(), mcp_session: login.mcpSession, tenant_id: 'other' }),
    ],
    [
      'the mcp_session of another in-band login',
      422,
      'token_not_for_this_session',
      async () => ({ access_token: await login.token(), mcp_session: random() }),
    ],
    [
      'a token without mcp_session',
      422,
      'token_not_for_this_session',
      async () => ({ access_token: await login.token({ mcp_session: undefined }), mcp_session: login.mcpSession }),
    ],
    [
      "another application's audience",
      422,
      'person_token_invalid',
      async () => ({ access_token: await login.token({ aud: 'https://mcp.test/x' }), mcp_session: login.mcpSession }),
    ],
    [
      'a token issued to another application',
      422,
      'person_token_invalid',
      async () => ({ access_token: await login.token({ client_id: 'other' }), mcp_session: login.mcpSession }),
    ],
    [
      "another issuer's name, under this tenant's key",
      422,
      'person_token_invalid',
      async () => ({
        access_token: await login.token({ iss: 'https://authsec.test/t/other' }),
        mcp_session: login.mcpSession,
      }),
    ],
    [
      'an expired token',
      422,
      'person_token_invalid',
      async () => ({ access_token: await login.token({ exp: 1_000 }), mcp_session: login.mcpSession }),
    ],
    [
      'an ID token',
      422,
      'person_token_invalid',
      async () => ({
        access_token: await tenant.sign(
          { sub: 'x', aud: application.clientId, sid: login.sid, mcp_session: login.mcpSession },
          { typ: 'JWT' },
        ),
        mcp_session: login.mcpSession,
      }),
    ],
    [
      "the application's own token",
      422,
      'person_token_invalid',
      async () => ({
        access_token: await login.token({ sub: application.clientId, sid: undefined }),
        mcp_session: login.mcpSession,
      }),
    ],
    [
      'a login that does not exist',
      422,
      'person_token_invalid',
      async () => ({ access_token: await login.token({ sid: random() }), mcp_session: login.mcpSession }),
    ],
    [
      'a login of somebody else',
      422,
      'person_token_invalid',
      async () => ({ access_token: await login.token({ sub: 'not-even-a-uuid' }), mcp_session: login.mcpSession }),
    ],
  ];
  test.each(cases)('%s', async (_name, status, code, body) => {
    const answer = await bind(await body());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  test('nothing of what was refused used the login up', async () => {
    const answer = await bind({ access_token: await login.token(), mcp_session: login.mcpSession });
    expect(answer.status).toBe(201);
  });

  test('410 where the login ended, expired, or its person was disabled', async () => {
    const person = await createTestPerson(tenant);
    const ended = await createTestLogin(tenant, application, person);
    await manager.container.sessions.endSession({
      tenantId: tenant.id,
      db: tenant.db,
      sid: ended.sid,
      reason: 'logged_out',
    });
    const expired = await createTestLogin(tenant, application, person, { expiresAt: new Date(Date.now() - 1) });
    const disabled = await createTestPerson(tenant, { status: 'disabled' });
    const lame = await createTestLogin(tenant, application, disabled);
    for (const { token, mcpSession } of [ended, expired, lame]) {
      const answer = await bind({ access_token: await token(), mcp_session: mcpSession });
      expect([answer.status, answer.body.code]).toEqual([410, 'session_ended']);
    }
  });
});

describe('another tenant', () => {
  test("a login there is refused, also where its token claims this tenant's issuer", async () => {
    const elsewhere = await manager.createTenant();
    const theirs = await createTestApplication(elsewhere, { resourceUrl: application.resourceUrl });
    const login = await createTestLogin(elsewhere, theirs, await createTestPerson(elsewhere));
    for (const claims of [{}, { iss: tenant.issuer, client_id: application.clientId, tenant_id: tenant.id }]) {
      const answer = await bind({ access_token: await login.token(claims), mcp_session: login.mcpSession });
      expect([answer.status, answer.body.code]).toEqual([422, 'person_token_invalid']);
    }
  });
});
