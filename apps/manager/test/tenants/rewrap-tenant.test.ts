import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/load-config.js';
import { type Container, createContainer } from '../../src/container.js';
import { createLogger } from '../../src/integrations/logger.js';
import { secretAddressOf } from '../../src/modules/services/service.js';
import { secretBinding } from '../../src/modules/identity-providers/identity-provider.js';
import { createTestApplication, createTestPerson, personBearer } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let system: TestTenant;
let tenant: TestTenant;
let other: TestTenant;
/** With the new key in front; and with the new key alone. */
let [both, onlyNew]: Container[] = [];
const newKey = `k2:${randomBytes(32).toString('base64')}`;

beforeAll(async () => {
  manager = await createTestManager();
  system = await manager.createTenant({ isSystem: true });
  [tenant, other] = [await manager.createTenant(), await manager.createTenant()];
  const open = (keys: string) =>
    createContainer(loadConfig({ ...manager.env, AUTHSEC_SEALING_KEYS: keys }), { logger: createLogger('silent') });
  both = await open(`${newKey},${manager.env['AUTHSEC_SEALING_KEYS']}`);
  onlyNew = await open(newKey);
}, 60_000);
afterAll(async () => {
  for (const container of [both, onlyNew]) await container?.close();
  await manager?.close();
});

const addresses = (count: number, of = tenant) =>
  Array.from({ length: count }, () => secretAddressOf(of.id, randomUUID()));
const write = (container: Container, address: ReturnType<typeof secretAddressOf>) =>
  container.secrets.write(address, { token: address.serviceId }, { expectedVersion: 0 });

async function rewrapAll(of = tenant): Promise<number> {
  for (let rewrapped = 0; ;) {
    const result = await both!.tenantsService.rewrap(of.id);
    rewrapped += result.rewrapped;
    if (result.remaining === 0) return rewrapped;
  }
}

describe('after rewrapping', () => {
  test('the key before is not needed: database, signing keys, identity providers and secrets open without it', async () => {
    const [address] = addresses(1);
    await write(manager.container, address!);
    const id = randomUUID();
    const sealedClientSecret = manager.container.sealer.seal('client secret', secretBinding(tenant.id, id));
    await tenant.db.identityProvider.create({
      data: { id, name: 'Okta', kind: 'oidc', issuer: 'https://okta.example', clientId: 'c', sealedClientSecret },
    });
    await expect(onlyNew!.tenants.open(tenant.id)).rejects.toMatchObject({ code: 'tenant_unavailable' });
    const before = await tenant.db.sealedSecret.findFirstOrThrow({ where: { serviceId: address!.serviceId } });

    expect(await rewrapAll()).toBe(4);
    onlyNew!.tenants.forget(tenant.id);
    const opened = await eventually(() => onlyNew!.tenants.open(tenant.id));
    const { sealedClientSecret: rewrapped } = await opened.identityProvider.findUniqueOrThrow({ where: { id } });
    expect(onlyNew!.sealer.open(rewrapped!, secretBinding(tenant.id, id)).toString()).toBe('client secret');
    expect(await onlyNew!.loadPrivateKeys(tenant.id, opened)).toHaveLength(1);
    expect((await onlyNew!.secrets.read(address!)).value).toEqual({ token: address!.serviceId });
    const after = await tenant.db.sealedSecret.findFirstOrThrow({ where: { serviceId: address!.serviceId } });
    expect([after.keyId, Buffer.compare(after.sealed!, before.sealed!)]).toEqual(['k2', 0]);
  });

  test('there is nothing left to do, and it is done again without harm', async () => {
    await rewrapAll();
    expect(await both!.tenantsService.rewrap(tenant.id)).toEqual({ rewrapped: 0, remaining: 0 });
  });
});

test('while it goes on secrets are read, written and destroyed on old and new replicas, and none is lost', async () => {
  const [old, kept, gone, added] = [addresses(450), addresses(20), addresses(20), addresses(20)];
  const before = [...old, ...kept, ...gone];
  while (before.length > 0) {
    await Promise.all(before.splice(0, 10).map((address) => write(manager.container, address)));
  }
  const rewrapping = rewrapAll();
  await Promise.all([
    ...kept.map((address) => manager.container.secrets.write(address, { token: 'two' }, { expectedVersion: 1 })),
    ...gone.map((address) => manager.container.secrets.destroy(address)),
    ...added.map((address) => write(both!, address)),
    ...old.slice(0, 20).map((address) => both!.secrets.read(address)),
  ]);
  await rewrapping;
  await rewrapAll();
  onlyNew!.tenants.forget(tenant.id);
  await eventually(() => onlyNew!.tenants.open(tenant.id));
  for (const address of [...old, ...added]) {
    expect((await onlyNew!.secrets.read(address)).value).toEqual({ token: address.serviceId });
  }
  for (const address of kept) expect((await onlyNew!.secrets.read(address)).value).toEqual({ token: 'two' });
  for (const address of gone) expect(await onlyNew!.secrets.currentVersion(address)).toBe(0);
});

test('what does not open stays as it is, and is said', async () => {
  const [address] = addresses(1, other);
  await write(manager.container, address!);
  await other.db.sealedSecret.updateMany({ data: { version: 7 } });
  const before = await other.db.sealedSecret.findFirstOrThrow();
  expect(await both!.tenantsService.rewrap(other.id)).toEqual({ rewrapped: 2, remaining: 1 });
  expect(await both!.tenantsService.rewrap(other.id)).toEqual({ rewrapped: 0, remaining: 1 });
  expect(await other.db.sealedSecret.findFirstOrThrow()).toEqual(before);
});

describe('POST /v1/tenants/:tenant_id/rewrap', () => {
  const post = async (tenantId: string, authorization?: string) => {
    const call = request(createApp(both!)).post(`/v1/tenants/${tenantId}/rewrap`);
    return authorization === undefined ? call : call.set('Authorization', authorization);
  };

  test('200 to operators, and audited; 404 for no tenant; 401 and 403 to everybody else', async () => {
    const application = await createTestApplication(system);
    const person = await createTestPerson(system, { roles: ['authsec-admin'] });
    const operator = await personBearer(system, application, person, ['authsec-admin']);
    const nobody = await personBearer(system, application, await createTestPerson(system), []);
    const stranger = await (await createTestApplication(tenant, { roles: ['authsec-admin'] })).bearer();
    const answer = await post(system.id, operator);
    expect([answer.status, answer.body]).toEqual([200, { rewrapped: 2, remaining: 0 }]);
    const [event] = await system.db.auditEvent.findMany({ where: { action: 'tenant.rewrap' } });
    expect(event).toMatchObject({ targetId: system.id, details: { rewrapped: 2, remaining: 0 } });
    expect((await post('nobody-here', operator)).status).toBe(404);
    expect((await post(system.id)).status).toBe(401);
    expect((await post(system.id, nobody)).status).toBe(403);
    expect((await post(tenant.id, stranger)).status).toBe(403);
  });
});

/** An open that failed answers for a second for those that follow. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const endsAt = Date.now() + 20_000; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > endsAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
