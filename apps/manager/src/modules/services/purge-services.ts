import type { TenantDatabase } from '../../db/tenant-clients.js';

/** A batch of the links that nobody comes back for, and of the leases that were over yesterday. */
export async function purgeServiceRows(db: TenantDatabase, batch: number): Promise<void> {
  await db.$executeRaw`
    DELETE FROM service_connect_attempts WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM service_connect_attempts WHERE expires_at < now() - interval '1 hour' LIMIT ${batch}))`;
  await db.$executeRaw`
    DELETE FROM service_leases WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM service_leases WHERE expires_at < now() - interval '1 day' LIMIT ${batch}))`;
}
