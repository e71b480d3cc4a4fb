import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectionAddressOf, secretAddressOf } from '../../src/modules/services/service.js';
import type { SecretStoreError } from '../../src/ports/secret-store.js';
import { createTestApplication, createTestPerson, random } from '../support/test-data.js';
import { awayFor, createServicesStage, expectKeptOut, expectNotTold, type ServicesStage } from '../support/services.js';

let stage: ServicesStage;
beforeAll(async () => {
  stage = await createServicesStage();
}, 60_000);
afterAll(() => stage?.close());

const update = (id: string, body: object, authorization?: string) =>
  stage.send('patch', `/v1/services/${id}`, body, authorization);
const rowOf = (id: string) => stage.tenant.db.serviceConfiguration.findUniqueOrThrow({ where: { id } });
const read = (id: string, version: number) =>
  stage.manager.container.secrets.read(secretAddressOf(stage.tenant.id, id), { version }).then(
    ({ value }) => value,
    (error: SecretStoreError) => error.failure,
  );

const token = { kind: 'oauth2_client_credentials', token_endpoint: 'https://login.example.com/token', client_id: 'c' };
const people = {
  ...token,
  kind: 'oauth2_authorization_code',
  authorization_endpoint: 'https://login.example.com/authorize',
  revocation_endpoint: 'https://login.example.com/revoke',
};

/** A service of people's own accounts that one person has connected, and another is under way to. */
async function createConnected(): Promise<{ id: string; userId: string }> {
  const { db, id: tenantId } = stage.tenant;
  const { body } = await stage.create({ settings: people, secret: { client_secret: 'first-secret' } });
  const id = body.id as string;
  const person = await createTestPerson(stage.tenant);
  const address = connectionAddressOf(tenantId, id, person.id);
  await stage.manager.container.secrets.write(address, { access_token: 'a' }, { expectedVersion: 0 });
  await db.serviceConnection.create({ data: { serviceId: id, userId: person.id, secretVersion: 1 } });
  const attempt = { sid: 's', applicationId: stage.application.id, linkHash: randomUUID(), expiresAt: new Date() };
  await db.serviceConnectAttempt.create({ data: { ...attempt, serviceId: id, userId: person.id } });
  return { id, userId: person.id };
}

const isConnected = async (id: string) => {
  const where = { serviceId: id };
  const { db } = stage.tenant;
  const rows = [await db.serviceConnection.count({ where }), await db.serviceConnectAttempt.count({ where })];
  return [...rows, await db.sealedSecret.count({ where: { ...where, collection: 'connections', destroyedAt: null } })];
};

describe('200', () => {
  test('what is given changes, the rest and the secret stay', async () => {
    const owner = await createTestPerson(stage.tenant);
    const other = await createTestApplication(stage.tenant);
    const { body } = await stage.create({ owner: owner.id, health_path: '/up' });
    const change = {
      description: 'New',
      requirement: { permissions: ['repositories:read'] },
      applications: [other.clientId],
      raw_credential: true,
      public_clients: true,
      owner: null,
      health_path: null,
      enabled: false,
    };
    const answer = await update(body.id, change);
    expect([answer.status, answer.body]).toEqual([
      200,
      { ...body, ...change, updated_at: answer.body.updated_at, secret_version: 1 },
    ]);
  });

  test('each change of who may use it, and how, is audited with what was before', async () => {
    const { body } = await stage.create();
    await update(body.id, { requirement: {}, applications: [], raw_credential: true, public_clients: true });
    await update(body.id, { raw_credential: true });
    expect(await stage.audited(body.id, 'service.updated')).toEqual([
      {
        name: body.name,
        requirement: '{}',
        requirement_before: '{"roles":["developer"]}',
        applications: [],
        applications_before: [stage.application.clientId],
        raw_credential: true,
        raw_credential_before: false,
        public_clients: true,
        public_clients_before: false,
      },
      { name: body.name },
    ]);
  });

  test('a secret that is given replaces the one before, which is gone at once; neither is told', async () => {
    const [first, second] = [`canary-${random()}`, `canary-${random()}`];
    const { body } = await stage.create({ secret: { token: first } });
    await stage.send('post', `/v1/services/${body.id}/rotate`, {
      secret: { token: 'mid-secret' },
      overlap_seconds: 600,
    });
    const answer = await update(body.id, { base_url: 'https://elsewhere.example', secret: { token: second } });
    expect(answer.body).toMatchObject({ base_url: 'https://elsewhere.example', secret_version: 3 });
    expect(answer.body.previous_secret_until).toBeNull();
    expect([await read(body.id, 1), await read(body.id, 2), await read(body.id, 3)]).toEqual([
      'missing',
      'missing',
      { token: second },
    ]);
    expect(await stage.audited(body.id, 'service.updated')).toEqual([
      {
        name: body.name,
        base_url: 'https://elsewhere.example',
        base_url_before: 'https://api.example.com/v1',
        secret_version: 3,
      },
    ]);
    await expectNotTold(stage, [first, second], [answer.text, JSON.stringify(await rowOf(body.id))]);
  });

  test.each(['https://api.example.com/v1/', 'https://api.example.com/v1/users', 'https://API.example.com:443/v1'])(
    'the base URL may become narrower without the secret: %s',
    async (base_url) => {
      const { body } = await stage.create();
      expect((await update(body.id, { base_url })).status).toBe(200);
    },
  );

  test('an application that has gone since does not stand in the way of another change', async () => {
    const gone = await createTestApplication(stage.tenant);
    const { body } = await stage.create({ applications: [gone.clientId] });
    await stage.tenant.db.application.delete({ where: { id: gone.id } });
    expect((await update(body.id, { enabled: false })).status).toBe(200);
    expect((await update(body.id, { applications: [gone.clientId, 'app_nobody'] })).body.errors).toEqual([
      expect.objectContaining({ pointer: '/applications/1' }),
    ]);
  });
});

describe('a secret goes nowhere else: it is given again, or the change is refused', () => {
  test.each([
    'https://attacker.example/v1',
    'https://api.example.com:8443/v1',
    'https://api.example.com',
    'https://api.example.com/v2',
    'https://api.example.com/v1x',
    'https://api.example.com/v1/../v2',
    'https://api.example.com/v1/%2e%2e/v2',
    'https://api.example.com./v1',
  ])('base_url %s', async (base_url) => {
    const { body } = await stage.create();
    const answer = await update(body.id, { base_url });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/secret']);
    expect((await rowOf(body.id)).baseUrl).toBe('https://api.example.com/v1');
  });

  test.each([
    { ...token, token_endpoint: 'https://attacker.example/token' },
    { ...token, token_endpoint: 'https://login.example.com/token2' },
  ])('%j', async (settings) => {
    const { body } = await stage.create({ settings: token, secret: { client_secret: 's-secret' } });
    expect((await update(body.id, { settings })).body.errors[0].pointer).toBe('/secret');
    const given = await update(body.id, { settings, secret: { client_secret: 'new-secret' } });
    expect([given.status, await read(body.id, 1), await read(body.id, 2)]).toEqual([
      200,
      'missing',
      { client_secret: 'new-secret' },
    ]);
  });

  test.each(['token_endpoint', 'authorization_endpoint', 'revocation_endpoint', 'issuer'])(
    'the %s of people’s own accounts',
    async (endpoint) => {
      const { id } = await createConnected();
      const settings = { ...people, [endpoint]: 'https://attacker.example/' };
      expect((await update(id, { settings })).body.errors[0].pointer).toBe('/secret');
      expect(await isConnected(id)).toEqual([1, 1, 1]);
      const given = await update(id, { settings, secret: { client_secret: 'new-secret' } });
      expect(given.status).toBe(200);
      expect(await isConnected(id)).toEqual([0, 0, 0]);
      expect(await stage.audited(id, 'service.updated')).toEqual([expect.objectContaining({ connections_ended: 1 })]);
    },
  );
});

describe('what people connected', () => {
  test.each<[string, object]>([
    ['another base URL', { base_url: 'https://elsewhere.example', secret: { client_secret: 'x-secret' } }],
    ['another client id', { settings: { ...people, client_id: 'other' } }],
  ])('ends with %s', async (_name, change) => {
    const { id } = await createConnected();
    expect((await update(id, change)).status).toBe(200);
    expect(await isConnected(id)).toEqual([0, 0, 0]);
  });

  test('goes on with a new client secret, another scope or another requirement', async () => {
    const { id } = await createConnected();
    expect((await update(id, { secret: { client_secret: 'second-secret' } })).status).toBe(200);
    expect((await update(id, { settings: { ...people, scope: 'repo' }, requirement: {} })).status).toBe(200);
    expect(await isConnected(id)).toEqual([1, 1, 1]);
  });

  test('is kept, with everything else, while the secret store is away', async () => {
    const { id } = await createConnected();
    const { secrets } = stage.manager.container;
    const change = { base_url: 'https://elsewhere.example', secret: { client_secret: 'x-secret' } };
    const answer = await stage.withStore(awayFor(secrets, 'destroyVersion', 'write'), () => update(id, change));
    expect([answer.status, answer.body.code]).toEqual([503, 'secret_store_unavailable']);
    expect(await isConnected(id)).toEqual([1, 1, 1]);
    expect(await rowOf(id)).toMatchObject({ baseUrl: 'https://api.example.com/v1', secretVersion: 1 });
    expect(await read(id, 1)).toEqual({ client_secret: 'first-secret' });
  });
});

describe('400', () => {
  test.each<[string, object, string]>([
    [
      'another kind',
      { settings: { kind: 'basic' }, secret: { username: 'u', password: 'p-secret' } },
      '/settings/kind',
    ],
    ['another name', { name: 'other' }, '/name'],
    ['plain http', { base_url: 'http://api.example.com/v1' }, '/base_url'],
    ['a private address', { base_url: 'https://10.0.0.1', secret: { token: 'x-secret' } }, '/base_url'],
    ['a secret of another kind', { secret: { key: 'x-secret' } }, '/secret/token'],
    ['an owner that is not there', { owner: randomUUID() }, '/owner'],
  ])('%s', async (_name, change, pointer) => {
    const { body } = await stage.create();
    const answer = await update(body.id, change);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    expect((await stage.send('get', `/v1/services/${body.id}`)).body).toEqual(body);
  });

  test('a new secret does not stay in the store when the change was refused', async () => {
    const { body } = await stage.create();
    await update(body.id, { owner: randomUUID(), secret: { token: 'refused-secret' } });
    expect([(await rowOf(body.id)).secretVersion, await read(body.id, 2)]).toEqual([1, 'missing']);
  });
});

test('422 for a requirement that cannot be evaluated', async () => {
  const { body } = await stage.create();
  const answer = await update(body.id, { requirement: { roles: ['a'], scopes: ['b'] } });
  expect([answer.status, answer.body.code]).toEqual([422, 'ambiguous_requirement']);
});

test('401, 403', async () => {
  const { body } = await stage.create();
  await expectKeptOut(stage, { method: 'patch', path: `/v1/services/${body.id}`, body: { enabled: false } });
});

test("404 for one that is not there, and for another tenant's, which stays as it is", async () => {
  const { body } = await stage.create();
  expect((await update(randomUUID(), { enabled: false })).status).toBe(404);
  expect((await update(body.id, { enabled: false }, stage.foreign)).status).toBe(404);
  expect((await rowOf(body.id)).enabled).toBe(true);
});

test('409 where the secret is replaced between the judging of a change and its writing, and the change is not made', async () => {
  const { body } = await stage.create();
  const { secrets } = stage.manager.container;
  let between: Promise<unknown> | undefined;
  const store = {
    ...secrets,
    write: async (...args: Parameters<typeof secrets.write>) => {
      const version = await secrets.write(...args);
      between ??= stage.tenant.db.serviceConfiguration.update({ where: { id: body.id }, data: { secretVersion: 7 } });
      await between;
      return version;
    },
  };
  const change = { base_url: 'https://elsewhere.example', secret: { token: 'x-secret' } };
  const answer = await stage.withStore(store, () => update(body.id, change));
  expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  expect((await rowOf(body.id)).baseUrl).toBe('https://api.example.com/v1');
  expect(await read(body.id, 2)).toBe('missing');
});
