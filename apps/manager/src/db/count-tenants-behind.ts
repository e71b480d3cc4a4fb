import { latestSchemaVersion } from '@authsec/prisma/migrate';
import type { MasterDatabase } from './master-client.js';

/** Tenants whose databases lack a migration that this code brings. */
export async function countTenantsBehind(master: MasterDatabase): Promise<number> {
  const latest = await latestSchemaVersion('tenant');
  return master.tenant.count({
    where: { status: { not: 'provisioning' }, OR: [{ schemaVersion: null }, { schemaVersion: { lt: latest } }] },
  });
}
