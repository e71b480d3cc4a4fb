import type { TenantDatabase } from '../../db/tenant-clients.js';

/** A place in the tenant's feed: both count up, in the order of the commits. */
export interface FeedPosition {
  readonly policyVersion: bigint;
  readonly sessionSequence: bigint;
}

export interface EndedRow {
  readonly sid: string;
  readonly reason: string;
}

/** Where the feed stands and which of the application's sessions ended after a place in it, oldest first: one snapshot. */
export async function readFeed(
  db: TenantDatabase,
  question: { readonly applicationId: string; readonly after: bigint; readonly limit: number },
): Promise<{ readonly position: FeedPosition; readonly ended: readonly EndedRow[] }> {
  const { applicationId, after, limit } = question;
  const rows = await db.$queryRaw<
    { policyVersion: bigint; sessionSequence: bigint; sid: string | null; reason: string | null }[]
  >`
    SELECT state.policy_version AS "policyVersion", state.session_sequence AS "sessionSequence",
           ended.id AS sid, ended.end_reason AS reason
      FROM policy_state state
      LEFT JOIN LATERAL (
        SELECT id, end_reason, ended_sequence FROM sessions
         WHERE application_id = ${applicationId}::uuid AND ended_sequence > ${after}
         ORDER BY ended_sequence, id LIMIT ${limit}
      ) ended ON true
     WHERE state.id = 1`;
  const [first] = rows;
  if (!first) throw new Error('the tenant database has no policy_state row');
  return {
    position: { policyVersion: first.policyVersion, sessionSequence: first.sessionSequence },
    ended: rows.flatMap(({ sid, reason }) => (sid === null ? [] : [{ sid, reason: reason ?? 'revoked' }])),
  };
}
