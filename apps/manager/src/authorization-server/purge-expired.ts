import type { TenantDatabase } from '../db/tenant-clients.js';
import { purgeAttempts } from '../modules/identity-providers/sign-in-attempts.repository.js';
import { purgeServiceRows } from '../modules/services/purge-services.js';
import { retireOverdueKeys } from '../modules/signing-keys/signing-keys.service.js';

const batch = 5_000;

/** Removes what has expired, a batch of each table. What ended long ago stays a while in `sessions`: it is audited. */
export async function purgeExpired(db: TenantDatabase): Promise<void> {
  await db.$executeRaw`
    DELETE FROM provider_models WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM provider_models WHERE expires_at < now() - interval '1 minute' LIMIT ${batch}))`;
  await db.$executeRaw`
    DELETE FROM pushed_logins WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM pushed_logins WHERE expires_at < now() - interval '1 minute' LIMIT ${batch}))`;
  await db.$executeRaw`
    DELETE FROM revoked_tokens WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM revoked_tokens WHERE expires_at < now() - interval '1 hour' LIMIT ${batch}))`;
  await purgeAttempts(db, batch);
  await purgeServiceRows(db, batch);
  await retireOverdueKeys(db);
}
