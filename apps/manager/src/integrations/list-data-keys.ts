import type { TenantDatabase } from '../db/tenant-clients.js';
import type { SealedValue } from '../ports/sealer.js';
import type { SecretAddress } from '../ports/secret-store.js';
import { bindingOf } from './sealed-secret-store.js';

interface Row {
  readonly collection: SecretAddress['collection'];
  readonly serviceId: string;
  readonly ownerId: string;
  readonly version: number;
  readonly sealedKey: Uint8Array<ArrayBuffer>;
}

const batch = 200;
const nobody = '00000000-0000-0000-0000-000000000000';

/** The data keys of sealed secrets that are wrapped by another key than this; what they encrypt is not touched. */
export async function* listDataKeys(db: TenantDatabase, tenantId: string, keyId: string): AsyncGenerator<SealedValue> {
  let after: Pick<Row, 'collection' | 'serviceId' | 'ownerId' | 'version'> = {
    collection: '' as Row['collection'],
    serviceId: nobody,
    ownerId: nobody,
    version: 0,
  };
  for (;;) {
    const rows = await db.$queryRaw<Row[]>`
      SELECT collection, service_id::text AS "serviceId", owner_id::text AS "ownerId", version, sealed_key AS "sealedKey"
        FROM sealed_secrets
       WHERE sealed_key IS NOT NULL AND key_id <> ${keyId}
         AND (collection, service_id, owner_id, version)
             > (${after.collection}, ${after.serviceId}::uuid, ${after.ownerId}::uuid, ${after.version}::int)
       ORDER BY collection, service_id, owner_id, version
       LIMIT ${batch}`;
    for (const row of rows) yield toSealedValue(db, tenantId, keyId, row);
    const last = rows.at(-1);
    if (!last || rows.length < batch) return;
    after = last;
  }
}

function toSealedValue(db: TenantDatabase, tenantId: string, keyId: string, row: Row): SealedValue {
  const { collection, serviceId, ownerId, version, sealedKey } = row;
  const address = { tenantId, collection, serviceId, ...(ownerId !== nobody && { ownerId }) };
  return {
    sealed: sealedKey,
    additionalData: `${bindingOf(address, version)}/key`,
    async replace(next) {
      const where = { collection, serviceId, ownerId, version, sealedKey };
      return (await db.sealedSecret.updateMany({ where, data: { keyId, sealedKey: next } })).count > 0;
    },
  };
}
