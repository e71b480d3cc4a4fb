import { randomBytes, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/config/secret.js';
import { createAesGcmSealer, type SealingKey } from '../../src/integrations/aes-gcm-sealer.js';
import { bindingOf, createSealedSecretStore } from '../../src/integrations/sealed-secret-store.js';
import type { SecretAddress } from '../../src/ports/secret-store.js';
import { random } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';
import { failureOf, secretStoreContract } from './secret-store-contract.js';

const newKey = (id: string): SealingKey => ({ id, key: new Secret(randomBytes(32).toString('base64')) });
const [first, second] = [newKey('k1'), newKey('k2')];

let manager: TestManager;
let acme: TestTenant;
let beta: TestTenant;
beforeAll(async () => {
  manager = await createTestManager();
  [acme, beta] = [await manager.createTenant(), await manager.createTenant()];
}, 60_000);
afterAll(() => manager?.close());

const storeUnder = (...keys: SealingKey[]) =>
  createSealedSecretStore({
    tenants: { open: (tenantId) => manager.container.tenants.open(tenantId) },
    sealer: createAesGcmSealer(keys),
  });

secretStoreContract('sealed', async () => {
  let requests = 0;
  const { tenants } = manager.container;
  const open = (tenantId: string) => {
    requests++;
    return tenants.open(tenantId);
  };
  const store = createSealedSecretStore({ tenants: { open }, sealer: createAesGcmSealer([first]) });
  return { store, tenants: [acme.id, beta.id], requests: () => requests, close: () => store.close() };
});

describe('a sealed secret', () => {
  const store = storeUnder(first);
  const service = (tenantId = acme.id): SecretAddress => ({
    tenantId,
    collection: 'services',
    serviceId: randomUUID(),
  });
  const written = async (address = service(), token: string = random()) => {
    await store.write(address, { token }, { expectedVersion: 0 });
    return address;
  };
  const rowsOf = (db: TestTenant['db'], { serviceId }: SecretAddress) =>
    db.sealedSecret.findMany({ where: { serviceId }, orderBy: { version: 'asc' } });

  test('is nowhere in the database in a form that can be read', async () => {
    const token = `canary-${random()}`;
    const address = await written(service(), token);
    const [row] = await rowsOf(acme.db, address);
    const dump = Buffer.concat([row!.sealed!, row!.sealedKey!]).toString('latin1');
    for (const encoding of ['utf8', 'base64', 'hex'] as const) {
      expect(dump).not.toContain(Buffer.from(token).toString(encoding).slice(0, 12));
    }
  });

  test('has a data key of its own: the same value twice looks like two', async () => {
    const [one, two] = [await written(service(), 'same'), await written(service(), 'same')];
    const [a, b] = [(await rowsOf(acme.db, one))[0]!, (await rowsOf(acme.db, two))[0]!];
    expect(Buffer.compare(a.sealed!, b.sealed!)).not.toBe(0);
    expect(Buffer.compare(a.sealedKey!, b.sealedKey!)).not.toBe(0);
  });

  test.each<[string, (from: SecretAddress) => SecretAddress]>([
    ['another service', (from) => ({ ...from, serviceId: randomUUID() })],
    ['another tenant', (from) => ({ ...from, tenantId: beta.id })],
    ['a person', (from) => ({ ...from, collection: 'connections', ownerId: randomUUID() })],
  ])('does not open in the row of %s', async (_name, elsewhere) => {
    const from = await written();
    const to = elsewhere(from);
    const [row] = await rowsOf(acme.db, from);
    const { db } = to.tenantId === beta.id ? beta : acme;
    const place = { collection: to.collection, serviceId: to.serviceId, ownerId: to.ownerId ?? row!.ownerId };
    await db.sealedSecret.create({ data: { ...row!, ...place } });
    expect(await failureOf(store.read(to))).toBe('foreign');
    expect((await store.read(from)).version).toBe(1);
  });

  test("does not open in the row of another person's account at the same service", async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const from = await written({ ...service(), collection: 'connections', ownerId: one });
    const [row] = await rowsOf(acme.db, from);
    await acme.db.sealedSecret.create({ data: { ...row!, ownerId: two } });
    expect(await failureOf(store.read({ ...from, ownerId: two }))).toBe('foreign');
    expect((await store.read(from)).version).toBe(1);
  });

  test.each<[string, Partial<SecretAddress>]>([
    ['of a service with an owner', { ownerId: randomUUID() }],
    ['of a connection without one', { collection: 'connections' }],
    ['of nobody', { collection: 'connections', ownerId: '00000000-0000-0000-0000-000000000000' }],
  ])('has no address %s', async (_name, given) => {
    const address = { ...service(), ...given };
    expect(await failureOf(store.write(address, { token: 'x' }, { expectedVersion: 0 }))).toBe('denied');
    expect(await rowsOf(acme.db, address)).toEqual([]);
  });

  test('does not open as another version, whole or with the other key', async () => {
    const address = await written();
    await store.write(address, { token: 'two' }, { expectedVersion: 1 });
    const [one, two] = await rowsOf(acme.db, address);
    const where = { serviceId: address.serviceId, version: 2 };
    await acme.db.sealedSecret.updateMany({ where, data: { sealed: one!.sealed, sealedKey: one!.sealedKey } });
    expect(await failureOf(store.read(address))).toBe('foreign');
    await acme.db.sealedSecret.updateMany({ where, data: { sealed: one!.sealed, sealedKey: two!.sealedKey } });
    expect(await failureOf(store.read(address))).toBe('foreign');
    await acme.db.sealedSecret.updateMany({ where, data: { sealed: two!.sealed } });
    expect((await store.read(address)).value).toEqual({ token: 'two' });
  });

  test.each(['sealed', 'sealedKey'] as const)('does not open when one bit of %s was changed', async (column) => {
    const address = await written();
    const [row] = await rowsOf(acme.db, address);
    const bytes = Buffer.from(row![column]!);
    bytes[bytes.length - 1]! ^= 1;
    await acme.db.sealedSecret.updateMany({ where: { serviceId: address.serviceId }, data: { [column]: bytes } });
    expect(await failureOf(store.read(address))).toBe('foreign');
  });

  test('what does not open says nothing of what it is', async () => {
    const token = `canary-${random()}`;
    const address = await written(service(), token);
    await acme.db.sealedSecret.updateMany({
      where: { serviceId: address.serviceId },
      data: { sealed: Buffer.from('x') },
    });
    const error = (await store.read(address).catch((thrown: unknown) => thrown)) as Error;
    expect([error.message, error.stack, error.cause].join()).not.toContain(token);
  });

  test('what opens and is no secret is not told either', async () => {
    const address = await written();
    const [row] = await rowsOf(acme.db, address);
    const binding = bindingOf(address, 1);
    const dataKey = randomBytes(32);
    const within = createAesGcmSealer([{ id: 'data', key: new Secret(dataKey.toString('base64')) }]);
    const data = {
      sealedKey: createAesGcmSealer([first]).seal(dataKey, `${binding}/key`),
      sealed: within.seal('canary that is no JSON', binding),
    };
    const place = { serviceId: address.serviceId, version: row!.version };
    await acme.db.sealedSecret.updateMany({ where: place, data });
    const error: unknown = await store.read(address).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'foreign' });
    expect(inspect(error, { depth: 10 })).not.toContain('canary');
  });

  test('under a new first key what was there is read, and what is written needs the new one', async () => {
    const address = await written(service(), 'old');
    const both = storeUnder(second, first);
    expect((await both.read(address)).value).toEqual({ token: 'old' });
    await both.write(address, { token: 'new' }, { expectedVersion: 1 });
    expect((await rowsOf(acme.db, address)).map(({ keyId }) => keyId)).toEqual(['k1', 'k2']);
    expect(await failureOf(store.read(address))).toBe('denied');
    expect((await storeUnder(second).read(address)).value).toEqual({ token: 'new' });
    expect(await failureOf(storeUnder(second).read(address, { version: 1 }))).toBe('denied');
  });
});

describe('when the database of the tenant fails', () => {
  const address = (tenantId: string): SecretAddress => ({ tenantId, collection: 'services', serviceId: randomUUID() });
  const sealer = createAesGcmSealer([first]);

  test('one that hangs is unavailable when the time is over', async () => {
    const store = createSealedSecretStore({ tenants: { open: () => new Promise(() => {}) }, sealer, timeoutMs: 20 });
    expect(await failureOf(store.read(address(acme.id)))).toBe('unavailable');
    expect(await failureOf(store.write(address(acme.id), {}, { expectedVersion: 0 }))).toBe('unavailable');
  });

  test('one that hangs is waited for no longer than a tool can wait', async () => {
    const never = { open: () => new Promise<never>(() => {}) };
    const store = createSealedSecretStore({ tenants: never, sealer: createAesGcmSealer([first]) });
    const startedAt = performance.now();
    expect(await failureOf(store.currentVersion(address(acme.id)))).toBe('unavailable');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('one that was closed is unavailable, and a tenant that is not there has nothing', async () => {
    const { container } = await manager.another();
    const store = createSealedSecretStore({ tenants: container.tenants, sealer });
    expect(await failureOf(store.read(address('nobody-here')))).toBe('missing');
    await container.tenants.close();
    expect(await failureOf(store.read(address(acme.id)))).toBe('unavailable');
  });
});
