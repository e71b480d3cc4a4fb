import { Secret } from '../config/secret.js';
import type { SealedValue, Sealer } from '../ports/sealer.js';
import type { MasterDatabase } from './master-client.js';

/** The URL of a tenant's database, sealed for its row in the master: in another tenant's row it does not open. */
export function sealDatabaseUrl(sealer: Sealer, tenantId: string, url: Secret): Buffer<ArrayBuffer> {
  return sealer.seal(url.reveal(), additionalData(tenantId));
}

export function openDatabaseUrl(sealer: Sealer, tenantId: string, sealed: Uint8Array): Secret {
  return new Secret(sealer.open(sealed, additionalData(tenantId)).toString('utf8'));
}

/** The URL as it stands sealed in the row of the tenant. */
export function sealedDatabaseUrlOf(
  master: Pick<MasterDatabase, 'tenant'>,
  { id, sealedDatabaseUrl: sealed }: { readonly id: string; readonly sealedDatabaseUrl: Uint8Array<ArrayBuffer> },
): SealedValue {
  return {
    sealed,
    additionalData: additionalData(id),
    async replace(next) {
      const where = { id, sealedDatabaseUrl: sealed };
      return (await master.tenant.updateMany({ where, data: { sealedDatabaseUrl: next } })).count > 0;
    },
  };
}

function additionalData(tenantId: string): string {
  return `${tenantId}/tenants/${tenantId}`;
}
