import { type CryptoKey, importJWK, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TenantDatabase } from '../db/tenant-clients.js';
import type { Clock } from '../ports/clock.js';
import type { EventBus } from '../ports/event-bus.js';

export interface VerificationKey {
  readonly alg: string;
  readonly key: CryptoKey | Uint8Array;
}

/** The public keys that a tenant's tokens may be signed with: active and retiring ones. */
export interface TenantKeys {
  find(tenantId: string, db: TenantDatabase, kid: string): Promise<VerificationKey | undefined>;
  /** The next `find` reads them anew. */
  forget(tenantId: string): void;
}

export interface TenantKeysOptions {
  readonly loadPublicKeys: (tenantId: string, db: TenantDatabase) => Promise<readonly JWK[]>;
  readonly clock: Clock;
  /** Wakes when something of a tenant changed: what is kept of it is forgotten. */
  readonly events: Pick<EventBus, 'subscribe'>;
}

interface Entry {
  readonly readAt: number;
  readonly keys: Promise<ReadonlyMap<string, VerificationKey>>;
  readonly unsubscribe: () => void;
}

const freshMs = 30_000;
const unknownKidMs = 1_000;

/** Read again after 30 s or a change of the tenant, and (at most each second) for a kid that is not among them. */
export function createTenantKeys({ loadPublicKeys, clock, events }: TenantKeysOptions): TenantKeys {
  const cache = new LRUCache<string, Entry>({ max: 1_000, dispose: (entry) => entry.unsubscribe() });

  function read(tenantId: string, db: TenantDatabase): Entry {
    // Listens before it looks: a change in between is not missed.
    const unsubscribe = events.subscribe(tenantId, forget);
    const entry = { readAt: clock.monotonic(), keys: loadPublicKeys(tenantId, db).then(toKeys), unsubscribe };
    cache.set(tenantId, entry);
    entry.keys.catch(forget);
    return entry;

    function forget(): void {
      if (cache.peek(tenantId) === entry) cache.delete(tenantId);
    }
  }

  return {
    async find(tenantId, db, kid) {
      const ageOf = (entry: Entry) => clock.monotonic() - entry.readAt;
      let entry = cache.get(tenantId);
      if (!entry || ageOf(entry) > freshMs) entry = read(tenantId, db);
      const key = (await entry.keys).get(kid);
      if (key || ageOf(entry) < unknownKidMs) return key;
      return (await read(tenantId, db).keys).get(kid);
    },
    forget: (tenantId) => {
      cache.delete(tenantId);
    },
  };
}

async function toKeys(jwks: readonly JWK[]): Promise<ReadonlyMap<string, VerificationKey>> {
  const entries = jwks.map(async (jwk): Promise<[string, VerificationKey]> => {
    const { kid = '', alg = '' } = jwk;
    return [kid, { alg, key: await importJWK(jwk, alg) }];
  });
  return new Map(await Promise.all(entries));
}
