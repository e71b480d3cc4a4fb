import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../config/secret.js';
import type { TenantClients, TenantDatabase } from '../db/tenant-clients.js';
import { translateDatabaseError } from '../db/translate-database-error.js';
import { AppError } from '../errors/app-error.js';
import type { Sealer } from '../ports/sealer.js';
import { type SecretAddress, type SecretStore, SecretStoreError, type SecretValue } from '../ports/secret-store.js';
import { createAesGcmSealer } from './aes-gcm-sealer.js';
import {
  deleteVersions,
  destroyOneVersion,
  findVersion,
  insertVersion,
  newestVersion,
  type SealedVersion,
  type SecretPlace,
} from './sealed-secret-rows.js';

export interface SealedSecretStoreOptions {
  readonly tenants: Pick<TenantClients, 'open'>;
  readonly sealer: Sealer;
  /** After which a call is `unavailable`; default 1.5 s. */
  readonly timeoutMs?: number;
}

const nobody = '00000000-0000-0000-0000-000000000000';
const secretValueSchema = z.record(z.string(), z.string());
const tenantIdShape = /^[a-z][a-z0-9-]{1,39}$/;
const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Secrets in the tenant's own database, where there is no Vault. Each version is encrypted under a data key of its own,
 * and that under the first sealing key; both are bound to tenant, collection, service, owner and version.
 */
export function createSealedSecretStore(options: SealedSecretStoreOptions): SecretStore {
  const { tenants, sealer, timeoutMs = 1_500 } = options;

  const run = <T>(address: SecretAddress, work: (db: TenantDatabase, place: SecretPlace) => Promise<T>): Promise<T> =>
    settleWithin(timeoutMs, async () => {
      const place = placeOf(address);
      try {
        return await work(await tenants.open(address.tenantId), place);
      } catch (error) {
        throw toStoreError(error);
      }
    });

  return {
    kind: 'sealed',
    databases: undefined,
    read: (address, { version } = {}) =>
      run(address, async (db, place) => {
        const row = await findVersion(db, place, version);
        if (!row) throw new SecretStoreError('missing', `there is no such version of ${describe(address)}`);
        return { version: row.version, value: open(sealer, address, row) };
      }),
    currentVersion: (address) => run(address, newestVersion),
    write: (address, value, { expectedVersion }) =>
      run(address, async (db, place) => {
        const next = seal(sealer, address, value, expectedVersion + 1);
        if (await insertVersion(db, place, next)) return next.version;
        throw new SecretStoreError('conflict', `${describe(address)} is not at version ${expectedVersion}`);
      }),
    destroyVersion: (address, version) => run(address, (db, place) => destroyOneVersion(db, place, version)),
    destroy: (address) => run(address, deleteVersions),
    ensureTenant: async () => {},
    health: () => ({ status: 'ok' }),
    close: async () => {},
  };
}

function seal(sealer: Sealer, address: SecretAddress, value: SecretValue, version: number): SealedVersion {
  const dataKey = randomBytes(32);
  const binding = bindingOf(address, version);
  return {
    version,
    keyId: sealer.keyIds[0],
    sealedKey: sealer.seal(dataKey, `${binding}/key`),
    sealed: underDataKey(dataKey).seal(JSON.stringify(value), binding),
  };
}

function open(sealer: Sealer, address: SecretAddress, { version, keyId, sealedKey, sealed }: SealedVersion) {
  if (!sealer.keyIds.includes(keyId)) {
    throw new SecretStoreError('denied', `${describe(address)} is under sealing key ${keyId}, which is not given`);
  }
  try {
    const binding = bindingOf(address, version);
    const dataKey = sealer.open(sealedKey, `${binding}/key`);
    return secretValueSchema.parse(JSON.parse(underDataKey(dataKey).open(sealed, binding).toString('utf8')));
  } catch {
    // No cause: what it says may have been made from the value.
    throw new SecretStoreError('foreign', `${describe(address)} version ${version} does not open here`);
  }
}

function underDataKey(dataKey: Buffer): Sealer {
  return createAesGcmSealer([{ id: 'data', key: new Secret(dataKey.toString('base64')) }]);
}

/** What a version is bound to: in the row of anything else it does not open. */
export function bindingOf(
  { tenantId, collection, serviceId, ownerId = nobody }: SecretAddress,
  version: number,
): string {
  return `${tenantId}/sealed_secrets/${collection}/${serviceId}/${ownerId}/${version}`;
}

function placeOf(address: SecretAddress): SecretPlace {
  const { tenantId, collection, serviceId, ownerId } = address;
  const owned = collection === 'connections';
  const ids = [serviceId, ...(ownerId === undefined ? [] : [ownerId])];
  const wellFormed = tenantIdShape.test(tenantId) && ids.every((id) => uuidShape.test(id) && id !== nobody);
  if (!wellFormed || (!owned && collection !== 'services') || owned !== (ownerId !== undefined)) {
    throw new SecretStoreError('denied', 'that is no address of a secret');
  }
  return { collection, serviceId, ownerId: ownerId ?? nobody };
}

function describe({ tenantId, collection, serviceId }: SecretAddress): string {
  return `the secret of ${tenantId}/${collection}/${serviceId}`;
}

function toStoreError(thrown: unknown): SecretStoreError {
  if (thrown instanceof SecretStoreError) return thrown;
  const cause = translateDatabaseError(thrown);
  if (cause instanceof AppError && cause.code === 'not_found') {
    return new SecretStoreError('missing', 'there is no such tenant', { cause });
  }
  return new SecretStoreError('unavailable', "the tenant's database did not answer as it should", { cause });
}

async function settleWithin<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new SecretStoreError('unavailable', "the tenant's database took too long")),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
