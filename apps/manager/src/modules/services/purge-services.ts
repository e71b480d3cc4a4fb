import { deleteOlder } from '../../db/delete-older.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';

/** A batch of the links that nobody comes back for, and of the leases that were over yesterday. */
export async function purgeServiceRows(db: TenantDatabase): Promise<void> {
  await deleteOlder(db, { table: 'service_connect_attempts', age: '1 hour' });
  await deleteOlder(db, { table: 'service_leases', age: '1 day' });
}
