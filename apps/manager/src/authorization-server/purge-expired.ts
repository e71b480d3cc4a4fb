import { deleteOlder } from '../db/delete-older.js';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { purgeAttempts } from '../modules/identity-providers/sign-in-attempts.repository.js';
import { purgeServiceRows } from '../modules/services/purge-services.js';
import { retireOverdueKeys } from '../modules/signing-keys/signing-keys.service.js';

/** Removes what has expired, and the history older than `historyDays`: a batch of each table. */
export async function purgeExpired(db: TenantDatabase, historyDays?: number): Promise<void> {
  await deleteOlder(db, { table: 'provider_models', age: '1 minute' });
  await deleteOlder(db, { table: 'pushed_logins', age: '1 minute' });
  await deleteOlder(db, { table: 'revoked_tokens', age: '1 hour' });
  await purgeAttempts(db);
  await purgeServiceRows(db);
  await retireOverdueKeys(db);
  if (historyDays === undefined) return;
  const age = `${historyDays} days`;
  await deleteOlder(db, { table: 'sessions', age });
  await deleteOlder(db, { table: 'decisions', column: 'at', age });
  await deleteOlder(db, { table: 'audit_events', column: 'at', age });
}
