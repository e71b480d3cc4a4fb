import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type SecretAddress,
  type SecretStore,
  SecretStoreError,
  type SecretStoreFailure,
} from '../../src/ports/secret-store.js';
import { naughtyNames } from './naughty-names.js';

export interface StoreUnderTest {
  readonly store: SecretStore;
  /** Two tenants that exist. */
  readonly tenants: readonly [string, string];
  /** How often the store asked whatever stands behind it. */
  readonly requests: () => number;
  close(): Promise<void>;
}

/** What every secret store must do; the same for all of them. */
export function secretStoreContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`the contract of a secret store: ${name}`, () => {
    let under: StoreUnderTest;
    let store: SecretStore;
    let [acme, beta] = ['', ''];
    beforeAll(async () => {
      under = await makeStore();
      ({ store } = under);
      [acme, beta] = under.tenants;
    });
    afterAll(() => under?.close());

    const service = (tenantId = acme): SecretAddress => ({ tenantId, collection: 'services', serviceId: randomUUID() });
    const written = async (token = 'one', address = service()): Promise<SecretAddress> => {
      await store.write(address, { token }, { expectedVersion: 0 });
      return address;
    };

    test('what was written is read, and versions count from 1', async () => {
      const address = service();
      expect(await store.currentVersion(address)).toBe(0);
      expect(await store.write(address, { token: 'one', other: 'ü "\n' }, { expectedVersion: 0 })).toBe(1);
      expect(await store.read(address)).toEqual({ value: { token: 'one', other: 'ü "\n' }, version: 1 });
      expect(await store.write(address, { token: 'two' }, { expectedVersion: 1 })).toBe(2);
      expect(await store.read(address)).toEqual({ value: { token: 'two' }, version: 2 });
      expect(await store.currentVersion(address)).toBe(2);
    });

    test('an older version is read as long as it is there', async () => {
      const address = await written('one');
      await store.write(address, { token: 'two' }, { expectedVersion: 1 });
      expect(await store.read(address, { version: 1 })).toEqual({ value: { token: 'one' }, version: 1 });
      await store.destroyVersion(address, 1);
      expect(await failureOf(store.read(address, { version: 1 }))).toBe('missing');
      expect((await store.read(address)).value).toEqual({ token: 'two' });
    });

    test('a value whose names are those of every object is read as it was written', async () => {
      const value = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
      const address = service();
      await store.write(address, value, { expectedVersion: 0 });
      const read = await store.read(address);
      expect(new Map(Object.entries(read.value))).toEqual(new Map(Object.entries(value)));
    });

    test('a value of 150 kB, such as certificates are, is read as it was written', async () => {
      const address = await written('x'.repeat(150_000));
      expect((await store.read(address)).value['token']).toHaveLength(150_000);
    });

    test('what was never written is missing', async () => {
      expect(await failureOf(store.read(service()))).toBe('missing');
      expect(await failureOf(store.read(await written(), { version: 2 }))).toBe('missing');
      expect(await failureOf(store.read(await written(), { version: 0 }))).toBe('missing');
    });

    test('a write that expects another version changes nothing', async () => {
      const address = await written('one');
      for (const expectedVersion of [0, 2, 7]) {
        expect(await failureOf(store.write(address, { token: 'no' }, { expectedVersion }))).toBe('conflict');
      }
      expect(await store.read(address)).toEqual({ value: { token: 'one' }, version: 1 });
      expect(await failureOf(store.write(service(), { token: 'no' }, { expectedVersion: 1 }))).toBe('conflict');
    });

    test('of ten writes at the same moment that expect one version, one wins', async () => {
      const address = await written('before');
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => store.write(address, { token: `w${index}` }, { expectedVersion: 1 })),
      );
      const won = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []));
      const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(won).toHaveLength(1);
      expect(lost.map((error) => (error as SecretStoreError).failure)).toEqual(Array(9).fill('conflict'));
      expect(await store.read(address)).toEqual({ value: { token: `w${won[0]}` }, version: 2 });
    });

    test('a destroyed version still counts, so that no number is given twice', async () => {
      const address = await written('one');
      await store.destroyVersion(address, 1);
      await store.destroyVersion(address, 1);
      expect(await failureOf(store.read(address))).toBe('missing');
      expect(await store.currentVersion(address)).toBe(1);
      expect(await failureOf(store.write(address, { token: 'no' }, { expectedVersion: 0 }))).toBe('conflict');
      expect(await store.write(address, { token: 'two' }, { expectedVersion: 1 })).toBe(2);
    });

    test('what was destroyed is gone in all versions, and can be made again', async () => {
      const address = await written('one');
      await store.write(address, { token: 'two' }, { expectedVersion: 1 });
      await store.destroy(address);
      await store.destroy(address);
      for (const version of [undefined, 1, 2]) {
        expect(await failureOf(store.read(address, version === undefined ? {} : { version }))).toBe('missing');
      }
      expect(await store.currentVersion(address)).toBe(0);
      await store.write(address, { token: 'new' }, { expectedVersion: 0 });
      expect((await store.read(address)).value).toEqual({ token: 'new' });
    });

    test('destroying what never was is no error', async () => {
      await store.destroy(service());
      await store.destroyVersion(service(), 3);
    });

    test('a service and the connections of its people are apart', async () => {
      const address = await written('of the service');
      const [ann, bob] = [randomUUID(), randomUUID()].map((ownerId): SecretAddress => ({
        ...address,
        collection: 'connections',
        ownerId,
      })) as [SecretAddress, SecretAddress];
      await written('of ann', ann);
      expect(await failureOf(store.read(bob))).toBe('missing');
      expect((await store.read(ann)).value).toEqual({ token: 'of ann' });
      await store.destroy(ann);
      expect((await store.read(address)).value).toEqual({ token: 'of the service' });
    });

    test('one tenant never reads, changes or destroys what is of another, whatever ids it knows', async () => {
      const address = await written('of acme');
      const elsewhere = { ...address, tenantId: beta };
      expect(await failureOf(store.read(elsewhere))).toBe('missing');
      await written('of beta', elsewhere);
      await store.destroy(elsewhere);
      expect(await store.read(address)).toEqual({ value: { token: 'of acme' }, version: 1 });
    });

    test('a tenant is prepared once, and again without a change', async () => {
      const address = await written('kept');
      await store.ensureTenant(acme);
      await store.ensureTenant(acme);
      expect((await store.read(address)).value).toEqual({ token: 'kept' });
    });

    test('500 naughty names as tenant, service or owner are refused before anything is asked', async () => {
      const names = naughtyNames(500);
      const canary = await written('canary');
      const before = under.requests();
      const outcomes = new Map<string, number>();
      for (const name of names) {
        const good = { tenantId: acme, collection: 'services', serviceId: canary.serviceId } as const;
        const addresses = [
          { ...good, tenantId: name },
          { ...good, serviceId: name },
          { ...good, collection: 'connections', ownerId: name },
          { ...good, ownerId: name },
          { ...good, collection: name as 'services' },
        ] as const;
        for (const address of addresses) {
          const tries = [
            () => store.read(address),
            () => store.currentVersion(address),
            () => store.write(address, { token: 'planted' }, { expectedVersion: 0 }),
            () => store.destroyVersion(address, 1),
            () => store.destroy(address),
            ...(store.databases ? [() => store.databases!.issue(address), () => store.databases!.remove(address)] : []),
          ];
          for (const attempt of tries) {
            const failure = await failureOf(attempt());
            outcomes.set(failure, (outcomes.get(failure) ?? 0) + 1);
          }
        }
      }
      expect([...outcomes.keys()]).toEqual(['denied']);
      expect(under.requests()).toBe(before);
      expect(await store.read(canary)).toEqual({ value: { token: 'canary' }, version: 1 });
    });

    test('says how it is without waiting', () => {
      expect(store.health()).toEqual({ status: 'ok' });
    });
  });
}

/** Of a call that must fail, and with nothing but a SecretStoreError. */
export async function failureOf(call: Promise<unknown>): Promise<SecretStoreFailure> {
  const error: unknown = await call.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof SecretStoreError) return error.failure;
  throw error;
}
