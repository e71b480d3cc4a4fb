import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createApp } from '../../src/app.js';
import { type SecretStore, SecretStoreError } from '../../src/ports/secret-store.js';
import { createCertificate } from '../support/certificate.js';
import { createServicesStage, expectNotTold, type ServicesStage } from '../support/services.js';
import { createTestApplication, createTestLogin, createTestPerson, random } from '../support/test-data.js';
import { until } from '../support/until.js';

const path = '/v1/service-credentials';
let stage: ServicesStage;
let sid: string;
let personId: string;
let caller: string;

beforeAll(async () => {
  stage = await createServicesStage();
  caller = await stage.application.bearer();
  const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  personId = person.id;
  ({ sid } = await createTestLogin(stage.tenant, stage.application, person, { bound: true }));
}, 60_000);
afterAll(() => stage?.close());

async function serviceWith(given: object): Promise<{ id: string; name: string }> {
  const answer = await stage.create(given);
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body as { id: string; name: string };
}
const issue = (body: object, by: string | null = caller) => stage.send('post', path, { sid, ...body }, by);
const refusalOf = async (answer: ReturnType<typeof issue>) => {
  const { status, body } = await answer;
  return [status, body.code] as unknown;
};
const bearerOf = async (service: string, rest: object = {}) =>
  (await issue({ service, ...rest })).body.credential.token;

describe('201', () => {
  const pair = createCertificate();
  test.each<[string, object, object, object]>([
    [
      'a key for a header',
      { kind: 'api_key', in: 'header', name: 'X-Key', prefix: 'Token ' },
      { key: 'k-1-secret' },
      { type: 'header', name: 'X-Key', value: 'Token k-1-secret' },
    ],
    [
      'a key for the query',
      { kind: 'api_key', in: 'query', name: 'key' },
      { key: 'k 2-secret' },
      { type: 'query', name: 'key', value: 'k 2-secret' },
    ],
    [
      'name and password',
      { kind: 'basic' },
      { username: 'u', password: 'p:w-secret' },
      { type: 'basic', username: 'u', password: 'p:w-secret' },
    ],
    ['a token', { kind: 'bearer' }, { token: 't-1-secret' }, { type: 'bearer', token: 't-1-secret' }],
    ['a certificate', { kind: 'mtls' }, pair, { type: 'client_certificate', ...pair, certificate_authority: null }],
  ])('%s, as it goes on a request', async (_name, settings, secret, credential) => {
    const service = await serviceWith({ settings, secret });
    const answer = await issue({ service: service.name, tool: 'list_repositories' });
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        service: {
          id: service.id,
          name: service.name,
          kind: (settings as { kind: string }).kind,
          base_url: 'https://api.example.com/v1',
          allow_private_addresses: false,
        },
        credential,
        expires_in: 300,
        lease_id: null,
        decision_id: expect.any(String),
      },
    ]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('private addresses are allowed where the service and the operator both say so', async () => {
    const given = { allow_private_addresses: true };
    const { name } = await serviceWith(given);
    const allowed = async () => (await issue({ service: name })).body.service.allow_private_addresses as unknown;
    expect(await allowed()).toBe(false);
    const { config } = stage.manager.container;
    const container = { ...stage.manager.container, config: { ...config, dangerouslyAllowPrivateAddresses: true } };
    const answer = await request(createApp(container))
      .post(path)
      .set('Authorization', caller)
      .send({ sid, service: name });
    expect(answer.body.service.allow_private_addresses).toBe(true);
  });

  test('decision, audit and last use stand in the tables, and the secret in none of them', async () => {
    const token = `canary-${random()}`;
    const service = await serviceWith({ secret: { token } });
    const { body } = await issue({ service: service.name, tool: 'report' });
    const decision = await stage.tenant.db.decision.findUniqueOrThrow({ where: { id: body.decision_id } });
    expect(decision).toMatchObject({ allowed: true, tool: 'report', sessionId: sid, subject: personId });
    expect(await stage.audited(service.id, 'service.credential_issued')).toEqual([
      {
        service: service.name,
        application: stage.application.clientId,
        tool: 'report',
        raw: false,
        previous: false,
        decision_id: body.decision_id,
        lease_id: null,
      },
    ]);
    const row = await stage.tenant.db.serviceConfiguration.findUniqueOrThrow({ where: { id: service.id } });
    expect(row.lastUsedAt).toBeInstanceOf(Date);
    await expectNotTold(stage, [token, Buffer.from(token).toString('base64')], [JSON.stringify(row)]);
  });

  test('raw, where the service is marked for it', async () => {
    const service = await serviceWith({ raw_credential: true });
    expect((await issue({ service: service.name, raw: true })).status).toBe(201);
    expect(await stage.audited(service.id, 'service.credential_issued')).toMatchObject([{ raw: true }]);
  });

  test('within the overlap of a rotation, the secret before; after it, none', async () => {
    const service = await serviceWith({ secret: { token: 'old-secret' } });
    expect(await refusalOf(issue({ service: service.name, previous: true }))).toEqual([404, 'not_found']);
    const rotation = { secret: { token: 'new-secret' }, overlap_seconds: 60 };
    expect((await stage.send('post', `/v1/services/${service.id}/rotate`, rotation)).status).toBe(200);
    expect(await bearerOf(service.name)).toBe('new-secret');
    const before = await issue({ service: service.name, previous: true });
    expect(before.body.credential.token).toBe('old-secret');
    expect(before.body.expires_in).toBeLessThanOrEqual(60);
    const where = { id: service.id };
    const { db } = stage.tenant;
    await db.serviceConfiguration.update({ where, data: { previousSecretUntil: new Date(Date.now() - 1) } });
    expect(await refusalOf(issue({ service: service.name, previous: true }))).toEqual([404, 'not_found']);
    expect(await bearerOf(service.name)).toBe('new-secret');
    await until(
      'the version is forgotten',
      async () => (await db.serviceConfiguration.findUniqueOrThrow({ where })).previousSecretVersion === null,
    );
    const address = { tenantId: stage.tenant.id, collection: 'services', serviceId: service.id } as const;
    const gone = stage.manager.container.secrets.read(address, { version: 1 });
    await expect(gone).rejects.toMatchObject({ failure: 'missing' });
  });
});

describe('who may is decided when it is asked', () => {
  test('a right that is taken away between two calls gives no credential at the second', async () => {
    const service = await serviceWith({});
    const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
    const login = await createTestLogin(stage.tenant, stage.application, person, { bound: true });
    expect((await issue({ service: service.name, sid: login.sid })).status).toBe(201);
    await stage.tenant.db.userRole.deleteMany({ where: { userId: person.id } });
    expect(await refusalOf(issue({ service: service.name, sid: login.sid }))).toEqual([403, 'service_denied']);
    const [refused] = await stage.audited(service.id, 'service.credential_refused');
    expect(refused).toMatchObject({ code: 'service_denied', reason: 'role_missing', service: service.name });
    const where = { id: String(refused?.['decision_id']) };
    expect(await stage.tenant.db.decision.findUniqueOrThrow({ where })).toMatchObject({ allowed: false });
  });

  test.each<[string, object, number, string]>([
    ['a requirement that the person does not meet', { requirement: { roles: ['owner'] } }, 403, 'service_denied'],
    ['no application at all', { applications: [] }, 403, 'service_denied'],
    ['a service that is disabled', { enabled: false }, 404, 'not_found'],
  ])('%s', async (_name, given, status, code) => {
    const canary = `canary-${random()}`;
    const service = await serviceWith({ ...given, secret: { token: canary } });
    const answer = await issue({ service: service.name });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    await expectNotTold(stage, [canary], [answer.text]);
  });

  test('an application that it is not for', async () => {
    const another = await createTestApplication(stage.tenant);
    const service = await serviceWith({ applications: [another.clientId] });
    expect(await refusalOf(issue({ service: service.name }))).toEqual([403, 'service_denied']);
    expect(await stage.audited(service.id, 'service.credential_refused')).toMatchObject([{ reason: 'application' }]);
  });

  test('a person who is denied learns nothing of the service but that', async () => {
    const service = await serviceWith({ requirement: { roles: ['owner'] }, base_url: 'https://hidden.example.com' });
    const { body } = await issue({ service: service.name });
    expect(Object.keys(body).sort()).toEqual(['code', 'detail', 'request_id', 'status', 'title', 'type']);
    expect(JSON.stringify(body)).not.toMatch(/owner|hidden|bearer/);
  });

  test('raw, where the service is not marked for it', async () => {
    const service = await serviceWith({});
    expect(await refusalOf(issue({ service: service.name, raw: true }))).toEqual([403, 'service_raw_denied']);
    expect(await stage.audited(service.id, 'service.credential_refused')).toMatchObject([
      { code: 'service_raw_denied' },
    ]);
  });

  test.each<[string, () => Promise<unknown>, number, string]>([
    [
      'that has ended',
      async () => {
        const { sid: own } = await newLogin();
        const { db, id: tenantId } = stage.tenant;
        await stage.manager.container.sessions.endSession({ tenantId, db, sid: own, reason: 'revoked' });
        return own;
      },
      410,
      'session_ended',
    ],
    ['that is over', async () => (await newLogin({ expiresAt: new Date(Date.now() - 1) })).sid, 410, 'session_ended'],
    [
      'of somebody who is disabled',
      async () => {
        const person = await createTestPerson(stage.tenant, { roles: ['developer'], status: 'disabled' });
        return (await createTestLogin(stage.tenant, stage.application, person, { bound: true })).sid;
      },
      410,
      'session_ended',
    ],
    ['that was never bound', async () => (await newLogin({ bound: false })).sid, 404, 'not_found'],
    ['that never was', async () => random(), 404, 'not_found'],
    [
      'of another application',
      async () => {
        const other = await createTestApplication(stage.tenant);
        return (await newLogin({}, other)).sid;
      },
      404,
      'not_found',
    ],
  ])('a session %s', async (_name, makeSid, status, code) => {
    const service = await serviceWith({});
    expect(await refusalOf(issue({ service: service.name, sid: await makeSid() }))).toEqual([status, code]);
  });
});

async function newLogin(options: Parameters<typeof createTestLogin>[3] = {}, application = stage.application) {
  const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  return createTestLogin(stage.tenant, application, person, { bound: true, ...options });
}

describe('a public client', () => {
  async function onADesk() {
    const { db } = stage.tenant;
    const data = { clientId: `app_${random(6)}`, name: 'On a desk', tokenEndpointAuthMethod: 'none' };
    const application = await db.application.create({ data });
    const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
    const [one, other] = [
      await createTestLogin(stage.tenant, application, person, { bound: true }),
      await createTestLogin(stage.tenant, application, person, { bound: true }),
    ];
    const claims = { sub: person.id, client_id: application.clientId, sid: one.sid };
    return { application, one, other, by: `Bearer ${await stage.tenant.sign(claims)}` };
  }

  test('gets what the service gives to public clients, for its own session and no other', async () => {
    const { application, one, other, by } = await onADesk();
    const service = await serviceWith({ applications: [application.clientId], public_clients: true });
    expect((await issue({ service: service.name, sid: one.sid }, by)).status).toBe(201);
    expect(await refusalOf(issue({ service: service.name, sid: other.sid }, by))).toEqual([404, 'not_found']);
  });

  test('gets nothing of the tenant where the service does not say so', async () => {
    const { application, one, by } = await onADesk();
    const service = await serviceWith({ applications: [application.clientId] });
    expect(await refusalOf(issue({ service: service.name, sid: one.sid }, by))).toEqual([403, 'service_denied']);
  });
});

describe('who is kept out', () => {
  test('400 for what the contract does not take, 401 without a good token, 403 for a person', async () => {
    const { name } = await serviceWith({});
    expect(await refusalOf(issue({ service: '../x' }))).toEqual([400, 'invalid_request']);
    expect(await refusalOf(issue({ service: name, sid: 'x' }))).toEqual([400, 'invalid_request']);
    expect(await refusalOf(issue({ service: name, more: 1 }))).toEqual([400, 'invalid_request']);
    expect(await refusalOf(issue({ service: name }, null))).toEqual([401, 'invalid_token']);
    expect(await refusalOf(issue({ service: name }, 'Bearer nonsense'))).toEqual([401, 'invalid_token']);
    const admin = await createTestPerson(stage.tenant, { roles: ['authsec-admin'] });
    const { sid: own } = await createTestLogin(stage.tenant, stage.application, admin, { inBand: false });
    const claims = { sub: admin.id, client_id: stage.application.clientId, sid: own, roles: ['authsec-admin'] };
    const person = `Bearer ${await stage.tenant.sign(claims)}`;
    expect(await refusalOf(issue({ service: name }, person))).toEqual([403, 'insufficient_permission']);
  });

  test("404 for another tenant's service and session, and for one that is not there, in the same words", async () => {
    const { name } = await serviceWith({});
    const unknown = await issue({ service: 'nothing-like-it' });
    const foreign = await issue({ service: name }, stage.foreign);
    const { request_id: _one, ...told } = unknown.body as Record<string, unknown>;
    expect([unknown.status, foreign.status]).toEqual([404, 404]);
    expect(foreign.body).toMatchObject(told);
  });
});

describe('a secret store', () => {
  const failing = (failure: SecretStoreError['failure']): SecretStore => ({
    ...stage.manager.container.secrets,
    read: () => Promise.reject(new SecretStoreError(failure, 'of the test')),
  });
  test.each([
    ['unavailable', 503, 'secret_store_unavailable'],
    ['denied', 503, 'secret_store_denied'],
    ['missing', 503, 'secret_missing'],
    ['foreign', 500, 'internal_error'],
  ] as const)('that says %s', async (failure, status, code) => {
    const { name } = await serviceWith({});
    const answer = await stage.withStore(failing(failure), () => issue({ service: name }));
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('that hangs is waited for no longer than two seconds', async () => {
    const { name } = await serviceWith({});
    const store = { ...stage.manager.container.secrets, read: () => new Promise<never>(() => {}) };
    const startedAt = performance.now();
    const before = stage.log().length;
    const answer = await stage.withStore(store, () => issue({ service: name }));
    expect([answer.status, answer.body.code]).toEqual([503, 'secret_store_unavailable']);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    // What was waited for, whatever the machine is busy with.
    const [, waited] = /it took longer than (\d+) ms/.exec(stage.log().slice(before)) ?? [];
    expect(Number(waited)).toBeLessThan(2_000);
  });

  test('with something of another shape', async () => {
    const { id, name } = await serviceWith({});
    const address = { tenantId: stage.tenant.id, collection: 'services', serviceId: id } as const;
    await stage.manager.container.secrets.destroy(address);
    await stage.manager.container.secrets.write(address, { key: 'canary-secret' }, { expectedVersion: 0 });
    expect(await refusalOf(issue({ service: name }))).toEqual([503, 'secret_missing']);
  });

  test('that makes no accounts', async () => {
    const { name, id } = await serviceWith({ raw_credential: true });
    const settings = { kind: 'database', host: 'db.example.com', database: 'x', creation_statements: ['x'] };
    const data = { kind: 'database', settings: { ...settings, port: 5432, tls: 'require', ttl_seconds: 60 } };
    await stage.tenant.db.serviceConfiguration.update({ where: { id }, data });
    expect(await refusalOf(issue({ service: name, raw: true }))).toEqual([422, 'service_kind_unavailable']);
    expect(await refusalOf(issue({ service: name }))).toEqual([403, 'service_raw_denied']);
  });
});
