import { Secret } from '../config/secret.js';
import type { Sealer } from '../ports/sealer.js';

/** The URL of a tenant's database, sealed for its row in the master: in another tenant's row it does not open. */
export function sealDatabaseUrl(sealer: Sealer, tenantId: string, url: Secret): Buffer<ArrayBuffer> {
  return sealer.seal(url.reveal(), additionalData(tenantId));
}

export function openDatabaseUrl(sealer: Sealer, tenantId: string, sealed: Uint8Array): Secret {
  return new Secret(sealer.open(sealed, additionalData(tenantId)).toString('utf8'));
}

function additionalData(tenantId: string): string {
  return `${tenantId}/tenants/${tenantId}`;
}
