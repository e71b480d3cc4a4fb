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

export interface Feed {
  readonly position: FeedPosition;
  readonly ended: readonly EndedRow[];
  /** By the database's clock, when it last moved; 0 where that is not known. */
  readonly movedSecondsAgo: number;
}

/** Where the feed stands and which of the application's sessions ended after a place in it, oldest first: one snapshot. */
export async function readFeed(
  db: TenantDatabase,
  question: { readonly applicationId: string; readonly after: bigint; readonly limit: number },
): Promise<Feed> {
  const { applicationId, after, limit } = question;
  const rows = await db.$queryRaw<
    { policyVersion: bigint; sessionSequence: bigint; ago: number | null; sid: string | null; reason: string | null }[]
  >`
    SELECT state.policy_version AS "policyVersion", state.session_sequence AS "sessionSequence",
           -- By way of JSON: a tenant that could not be migrated lacks the column, and is served all the same.
           extract(epoch FROM clock_timestamp() - (to_jsonb(state) ->> 'changed_at')::timestamptz)::float8 AS ago,
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
    movedSecondsAgo: Math.max(0, first.ago ?? 0),
    ended: rows.flatMap(({ sid, reason }) => (sid === null ? [] : [{ sid, reason: reason ?? 'revoked' }])),
  };
}
