import type { ServiceSettings } from '@authsec/manager-client/contract';
import type { SecretStore, SecretValue } from '../../ports/secret-store.js';
import { AppError } from '../../errors/app-error.js';
import { secretAddressOf, type Service } from './service.js';
import { atStore } from './translate-store-error.js';

/** What a change of a service does at the secret store; rejects with AppError. */
export interface ServiceSecrets {
  /** Keeps a secret beside those that are there; gives its version. */
  add(tenantId: string, serviceId: string, secret: SecretValue): Promise<number>;
  /** Destroys what is older than `newest`, but for `kept`; what fails is tried again by whoever comes next. */
  clean(tenantId: string, serviceId: string, newest: number, kept: readonly (number | null)[]): Promise<void>;
  /** Destroys a version that no row came to name; it stays where the store is away, and is cleaned later. */
  drop(tenantId: string, serviceId: string, version: number): Promise<void>;
  /**
   * AppError 'service_kind_unavailable' where the store makes no accounts. Those that live where it was `before` end
   * first: the store could not end them where it is now.
   */
  configureDatabase(
    tenantId: string,
    service: Pick<Service, 'id' | 'settings'>,
    secret: SecretValue,
    before?: Pick<Service, 'settings'>,
  ): Promise<void>;
  /** Everything that the store has of a service, living accounts too. */
  remove(tenantId: string, service: Pick<Service, 'id' | 'kind'>): Promise<void>;
}

/** How many versions before the newest are looked after: more than failed cleanings leave behind. */
const looksBack = 10;

export function createServiceSecrets(store: SecretStore): ServiceSecrets {
  return {
    async add(tenantId, serviceId, secret) {
      const address = secretAddressOf(tenantId, serviceId);
      const expectedVersion = await atStore(store.currentVersion(address));
      return atStore(store.write(address, secret, { expectedVersion }));
    },

    async clean(tenantId, serviceId, newest, kept) {
      const address = secretAddressOf(tenantId, serviceId);
      const count = Math.min(looksBack, newest - 1);
      const older = Array.from({ length: count }, (_, index) => newest - 1 - index);
      const goes = older.filter((version) => !kept.includes(version));
      await Promise.allSettled(goes.map((version) => store.destroyVersion(address, version)));
    },

    async drop(tenantId, serviceId, version) {
      await store.destroyVersion(secretAddressOf(tenantId, serviceId), version).catch(() => {});
    },

    async configureDatabase(tenantId, { id, settings }, secret, before) {
      if (settings.kind !== 'database') throw new TypeError('settings: not of a database');
      const { databases } = store;
      if (!databases) throw new AppError('service_kind_unavailable', `the ${store.kind} store makes no accounts`);
      const { creation_statements: creationStatements, revocation_statements: revocationStatements } = settings;
      const { host, port, database, tls, ttl_seconds: ttlSeconds } = settings;
      const { username = '', password = '' } = secret;
      const statements = { creationStatements, revocationStatements };
      const account = { host, port, database, tls, ttlSeconds, username, password, ...statements };
      const address = secretAddressOf(tenantId, id);
      if (before && isElsewhere(before.settings, settings)) await atStore(databases.remove(address));
      await atStore(databases.configure(address, account));
    },

    async remove(tenantId, { id, kind }) {
      const address = secretAddressOf(tenantId, id);
      // Where the store is another one now, what the one before made is there and not within reach.
      if (kind === 'database') await atStore(store.databases?.remove(address) ?? Promise.resolve());
      else await atStore(store.destroy(address));
    },
  };
}

function isElsewhere(before: ServiceSettings, next: ServiceSettings): boolean {
  if (before.kind !== 'database' || next.kind !== 'database') return false;
  return before.host !== next.host || before.port !== next.port || before.database !== next.database;
}
