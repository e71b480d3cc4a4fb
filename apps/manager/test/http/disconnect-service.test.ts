import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import type { HttpBrowser } from '../authorization-server/http-browser.js';
import { connectionAddressOf } from '../../src/modules/services/service.js';
import { SecretStoreError } from '../../src/ports/secret-store.js';
import {
  type AccountService,
  type AccountsStage,
  startAccountsStage,
  type TestPerson,
} from '../support/connected-accounts.js';
import { createTestApplication, createTestPerson, createTestRole, random } from '../support/test-data.js';
import { until } from '../support/until.js';

let stage: AccountsStage;
let service: AccountService;
let person: TestPerson;
let browser: HttpBrowser;
let token: string;
beforeAll(async () => {
  stage = await startAccountsStage();
  service = await stage.newService();
  person = await stage.newPerson();
  ({ browser } = await stage.openAs(await stage.linkUrl(service, person), person));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(async () => {
  await stage.connect(service, person, browser);
  token = (await stage.issue(service, person)).body.credential.token as string;
  stage.oauth.requests.length = 0;
});
afterEach(() => {
  stage.oauth.fault = undefined;
});

/** A service that many people have connected. */
async function createConnected(): Promise<{ id: string; count: number }> {
  const { id } = await stage.newService();
  const { db, id: tenantId } = stage.tenant;
  const people = await Promise.all(Array.from({ length: 40 }, () => createTestPerson(stage.tenant)));
  for (const { id: userId } of people) {
    const address = connectionAddressOf(tenantId, id, userId);
    await stage.server.container.secrets.write(address, { access_token: random() }, { expectedVersion: 0 });
    await db.serviceConnection.create({ data: { serviceId: id, userId, secretVersion: 1 } });
  }
  return { id, count: people.length };
}

const connectionsPath = () => `/v1/services/${service.id}/connections`;
const path = () => `${connectionsPath()}/${person.user.id}`;
const stored = () =>
  stage.server.container.secrets.read(connectionAddressOf(stage.tenant.id, service.id, person.user.id));

describe('DELETE 204', () => {
  test('the tokens are revoked at the service, gone from the store, and a tool is told to connect', async () => {
    expect((await stage.admin('delete', path())).status).toBe(204);
    expect(stage.oauth.requests.map(({ path: asked }) => asked)).toEqual(['/token/revocation']);
    expect(await stage.oauth.holderOf(token)).toBeUndefined();
    await expect(stored()).rejects.toMatchObject({ failure: 'missing' });
    expect((await stage.issue(service, person)).body.code).toBe('service_not_connected');
    expect((await stage.admin('get', connectionsPath())).body).toEqual({ connections: [] });
    const event = await stage.tenant.db.auditEvent.findFirst({
      where: { action: 'service.disconnect', targetId: service.id },
      orderBy: { id: 'desc' },
    });
    expect(event).toMatchObject({ actorKind: 'application', details: { sub: person.user.id, revoked: true } });
  });

  test.each([
    ['fails', { status: 500 }],
    ['hangs', { hang: true }],
  ])('also where the service %s: what is here is gone', async (_name, fault) => {
    stage.oauth.fault = () => fault;
    expect((await stage.admin('delete', path())).status).toBe(204);
    await expect(stored()).rejects.toMatchObject({ failure: 'missing' });
    expect(stage.log()).not.toContain(token);
  });
});

describe('what people connected ends, and their tokens are revoked,', () => {
  const revoked = async () => {
    await until('it is asked to revoke', () =>
      stage.oauth.requests.some(({ path: asked }) => asked === '/token/revocation'),
    );
    await until('it is revoked', async () => (await stage.oauth.holderOf(token)) === undefined);
  };

  test('with the service', async () => {
    const another = await stage.newService();
    await stage.connect(another, person, browser);
    token = (await stage.issue(another, person)).body.credential.token as string;
    expect((await stage.admin('delete', `/v1/services/${another.id}`)).status).toBe(204);
    await revoked();
  });

  test('with a change of where its tokens go, at where they came from', async () => {
    const { id } = service;
    const { settings } = (await stage.admin('get', `/v1/services/${id}`)).body;
    const elsewhere = { ...settings, revocation_endpoint: `${stage.oauth.origin}/elsewhere` };
    const secret = { client_secret: 'of the next server' };
    expect((await stage.admin('patch', `/v1/services/${id}`, { settings: elsewhere, secret })).status).toBe(200);
    await revoked();
    expect(stage.oauth.requests.filter(({ path: asked }) => asked === '/elsewhere')).toEqual([]);
    const back = { settings, secret: { client_secret: service.clientSecret } };
    expect((await stage.admin('patch', `/v1/services/${id}`, back)).status).toBe(200);
  });

  test('where the service hangs nobody waits for it', async () => {
    const { id, count } = await createConnected();
    stage.oauth.fault = () => ({ hang: true });
    expect((await stage.admin('delete', `/v1/services/${id}`)).status).toBe(204);
    expect(stage.log().split('the tokens of a connection were not revoked').length).toBeLessThan(count);
  });

  test('by ten requests at a time', async () => {
    const { id, count } = await createConnected();
    let [asking, most, asked] = [0, 0, 0];
    stage.oauth.fault = async () => {
      [asking, asked] = [asking + 1, asked + 1];
      most = Math.max(most, asking);
      await new Promise((resolve) => setTimeout(resolve, 20));
      asking--;
      return {};
    };
    expect((await stage.admin('delete', `/v1/services/${id}`)).status).toBe(204);
    await until('all are asked', () => asked === count);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(10);
  });

  test('but not where the secret store is away: then nothing ended', async () => {
    const { secrets } = stage.server.container;
    const { destroy } = secrets;
    Object.assign(secrets, { destroy: () => Promise.reject(new SecretStoreError('unavailable', 'sealed')) });
    try {
      expect((await stage.admin('delete', `/v1/services/${service.id}`)).status).toBe(503);
    } finally {
      Object.assign(secrets, { destroy });
    }
    expect(stage.oauth.requests).toEqual([]);
    expect((await stage.issue(service, person)).body.credential.token).toBe(token);
  });
});

test('what people connected ends with a change of where its tokens go', async () => {
  const { id, clientId, clientSecret } = service;
  const settings = { kind: 'oauth2_authorization_code', ...stage.oauth.settings, client_id: clientId, scope: 'repo' };
  const change = { settings: { ...settings, token_endpoint: `${stage.oauth.origin}/token?v=2` } };
  const secret = { client_secret: clientSecret };
  expect((await stage.admin('patch', `/v1/services/${id}`, { ...change, secret })).status).toBe(200);
  expect((await stage.issue(service, person)).body.code).toBe('service_not_connected');
  expect((await stage.admin('patch', `/v1/services/${id}`, { settings, secret })).status).toBe(200);
});

test('401, 403, and 404 for another tenant, another person and another service', async () => {
  const at = (method: 'get' | 'delete', where: string) => request(stage.server.url)[method](where);
  const nobody = await (await createTestApplication(stage.tenant)).bearer();
  const elsewhere = await stage.server.createTenant();
  const roles = [await createTestRole(elsewhere, random(), ['authsec:services:*'])];
  const foreign = await (await createTestApplication(elsewhere, { roles })).bearer();
  const operations: ['get' | 'delete', string][] = [
    ['get', connectionsPath()],
    ['delete', path()],
  ];
  for (const [method, where] of operations) {
    expect((await at(method, where)).status).toBe(401);
    expect((await at(method, where).set({ authorization: nobody })).status).toBe(403);
    expect((await at(method, where).set({ authorization: foreign })).status).toBe(404);
    const other = where.replace(service.id, crypto.randomUUID());
    expect((await stage.admin(method, other)).status).toBe(404);
    expect((await stage.admin(method, where.replace(service.id, 'x'))).status).toBe(400);
  }
  expect((await stage.admin('delete', path().replace(person.user.id, crypto.randomUUID()))).status).toBe(404);
  expect((await stored()).value['access_token']).toBe(token);
});
