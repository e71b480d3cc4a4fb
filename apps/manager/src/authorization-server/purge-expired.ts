import type { TenantDatabase } from '../db/tenant-clients.js';
import { purgeAttempts } from '../modules/identity-providers/sign-in-attempts.repository.js';
import { purgeServiceRows } from '../modules/services/purge-services.js';
import { retireOverdueKeys } from '../modules/signing-keys/signing-keys.service.js';

const batch = 5_000;

/** Removes what has expired, and the history older than `historyDays`: a batch of each table. */
export async function purgeExpired(db: TenantDatabase, historyDays?: number): Promise<void> {
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
  if (historyDays !== undefined) await purgeHistory(db, historyDays);
}

async function purgeHistory(db: TenantDatabase, days: number): Promise<void> {
  await db.$executeRaw`
    DELETE FROM sessions WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM sessions WHERE expires_at < now() - make_interval(days => ${days}) LIMIT ${batch}))`;
  await db.$executeRaw`
    DELETE FROM decisions WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM decisions WHERE at < now() - make_interval(days => ${days}) LIMIT ${batch}))`;
  await db.$executeRaw`
    DELETE FROM audit_events WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM audit_events WHERE at < now() - make_interval(days => ${days}) LIMIT ${batch}))`;
}
