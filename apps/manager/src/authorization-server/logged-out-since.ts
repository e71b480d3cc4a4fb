import type { TenantDatabase } from '../db/tenant-clients.js';

/** A logout anywhere makes every browser ask anew who is there: a browser does not say which logins it began. */
export async function hasLoggedOutSince(
  db: TenantDatabase,
  userId: string,
  /** Epoch seconds. */
  loginTs: number | undefined,
): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM sessions
    WHERE user_id = ${userId}::uuid AND end_reason = 'logged_out'
      AND ended_at >= to_timestamp(${loginTs ?? 0}::float8) LIMIT 1`;
  return rows.length > 0;
}
