import type { Session } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import type { BoundSession, ListedSession, SessionEndReason, SessionManifest } from './session.js';

const listed = { user: { select: { email: true } }, application: { select: { clientId: true } } } as const;

export interface SessionWithScopes extends BoundSession {
  readonly mcpSession: string | null;
  readonly boundAt: Date | null;
  readonly bindKeyHash: string | null;
  readonly endedAt: Date | null;
  readonly endReason: string | null;
}

export interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly applicationId: string;
  readonly mcpSession: string | null;
  readonly scopes: readonly string[];
  readonly clientName: string | null;
  readonly expiresAt: Date;
}

export async function insertSession(db: TenantDatabase, session: SessionRow): Promise<void> {
  await db.session.create({ data: { ...session, scopes: [...session.scopes] } });
}

export function findSession(db: TenantDatabase, sid: string): Promise<Session | null> {
  return db.session.findUnique({ where: { id: sid } });
}

/** With what its application may ask for; another application's is not found. */
export async function findSessionOf(
  db: TenantDatabase,
  applicationId: string,
  sid: string,
): Promise<SessionWithScopes | undefined> {
  const [session] = await findSessionsOf(db, applicationId, [sid]);
  return session;
}

/** One statement, so that `policyVersion` is not newer than anything that stands beside it. */
export function findSessionsOf(
  db: TenantDatabase,
  applicationId: string,
  sids: readonly string[],
): Promise<SessionWithScopes[]> {
  return db.$queryRaw<SessionWithScopes[]>`
    SELECT s.id AS sid, s.user_id::text AS "userId", s.mcp_session AS "mcpSession", coalesce(s.scopes, '{}') AS scopes,
           coalesce(a.scopes, '{}') AS "applicationScopes", s.expires_at AS "expiresAt", s.bound_at AS "boundAt",
           s.bind_key_hash AS "bindKeyHash", s.ended_at AS "endedAt", s.end_reason AS "endReason",
           p.policy_version AS "policyVersion"
      FROM sessions s
      JOIN applications a ON a.id = s.application_id
      JOIN policy_state p ON p.id = 1
     WHERE s.id = ANY(${[...sids]}) AND s.application_id = ${applicationId}::uuid`;
}

export interface BindAttempt {
  readonly sid: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly mcpSession: string;
  readonly keyHash: string | null;
  readonly manifestDigest: string | undefined;
  readonly at: Date;
}

/** Binds if nothing has: one statement, so that of any number at the same moment exactly one succeeds. */
export async function bindOnce(db: TenantDatabase, attempt: BindAttempt): Promise<boolean> {
  const { sid, applicationId, userId, mcpSession, keyHash, at, manifestDigest = null } = attempt;
  const bound = await db.$executeRaw`
    UPDATE sessions SET bound_at = ${at}, bind_key_hash = ${keyHash}, manifest_digest = ${manifestDigest}
     WHERE id = ${sid} AND application_id::text = ${applicationId} AND user_id::text = ${userId}
       AND mcp_session = ${mcpSession} AND bound_at IS NULL AND ended_at IS NULL AND expires_at > ${at}
       AND EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND users.status = 'active')`;
  return bound === 1;
}

/**
 * As `bindOnce`, for the JWT of the completion page: it takes the place of the code, which is gone with this, and which
 * must not have been used. What redeems the code updates the same row: exactly one of the two succeeds.
 */
export async function bindPastedOnce(db: TenantDatabase, attempt: BindAttempt): Promise<boolean> {
  const { sid, applicationId, userId, mcpSession, keyHash, at, manifestDigest = null } = attempt;
  const bound = await db.$executeRaw`
    WITH code AS (
      DELETE FROM provider_models
       WHERE model = 'AuthorizationCode' AND grant_id = ${sid} AND consumed_at IS NULL AND expires_at > now()
         AND EXISTS (SELECT 1 FROM applications WHERE id::text = ${applicationId} AND paste_token)
      RETURNING id_hash
    )
    UPDATE sessions SET bound_at = ${at}, bind_key_hash = ${keyHash}, manifest_digest = ${manifestDigest}
     WHERE id = ${sid} AND application_id::text = ${applicationId} AND user_id::text = ${userId}
       AND mcp_session = ${mcpSession} AND bound_at IS NULL AND ended_at IS NULL AND expires_at > ${at}
       AND EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND users.status = 'active')
       AND EXISTS (SELECT 1 FROM code)`;
  return bound === 1;
}

/** Of the application's own sessions only; one statement whatever their number. */
export async function setManifests(
  db: TenantDatabase,
  applicationId: string,
  manifests: readonly SessionManifest[],
): Promise<void> {
  const sids = manifests.map(({ sid }) => sid);
  const digests = manifests.map(({ digest }) => digest);
  await db.$executeRaw`
    UPDATE sessions SET manifest_digest = said.digest
      FROM unnest(${sids}::text[], ${digests}::text[]) AS said(sid, digest)
     WHERE id = said.sid AND application_id = ${applicationId}::uuid AND ended_at IS NULL`;
}

export interface SessionFilter {
  readonly applicationId: string | undefined;
  readonly userId: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

/** In the order of the sid, which tells nothing. */
export function listSessions(
  db: TenantDatabase,
  { applicationId, userId, after, limit }: SessionFilter,
): Promise<ListedSession[]> {
  return db.session.findMany({
    where: {
      ...(applicationId !== undefined && { applicationId }),
      ...(userId !== undefined && { userId }),
      ...(after !== undefined && { id: { gt: after } }),
    },
    include: listed,
    orderBy: { id: 'asc' },
    take: limit,
  });
}

export function findListedSession(
  db: TenantDatabase,
  sid: string,
  applicationId: string | undefined,
): Promise<ListedSession | null> {
  return db.session.findFirst({
    where: { id: sid, ...(applicationId !== undefined && { applicationId }) },
    include: listed,
  });
}

export function countActiveSessions(db: TenantDatabase, at: Date): Promise<number> {
  return db.session.count({ where: { endedAt: null, boundAt: { not: null }, expiresAt: { gt: at } } });
}

/** Those whose time is over, and which nobody has ended. */
export async function findExpiredSids(db: TenantDatabase, at: Date, limit: number): Promise<string[]> {
  const where = { endedAt: null, boundAt: { not: null }, expiresAt: { lte: at } };
  const rows = await db.session.findMany({ where, select: { id: true }, take: limit });
  return rows.map((row) => row.id);
}

/** Of a person, or of all. */
export async function findLiveSids(db: TenantDatabase, userId: string | undefined, limit?: number): Promise<string[]> {
  const where = { endedAt: null, ...(userId !== undefined && { userId }) };
  const rows = await db.session.findMany({ where, select: { id: true }, ...(limit !== undefined && { take: limit }) });
  return rows.map((row) => row.id);
}

/**
 * Ends those that have not ended, with a new place in the tenant's feed, and removes what the provider keeps of their
 * grants. The lock of the policy_state row makes the order of the feed the order of the commits.
 */
export async function endSessions(
  db: TenantDatabase,
  sids: readonly string[],
  { reason, at }: { readonly reason: SessionEndReason; readonly at: Date },
): Promise<number> {
  const ids = [...sids];
  const [, ended] = await db.$transaction([
    db.$executeRaw`UPDATE policy_state SET session_sequence = session_sequence + 1 WHERE id = 1`,
    db.$executeRaw`
      UPDATE sessions SET ended_at = ${at}, end_reason = ${reason},
             ended_sequence = (SELECT session_sequence FROM policy_state WHERE id = 1)
       WHERE id = ANY(${ids}) AND ended_at IS NULL`,
    db.providerModel.deleteMany({ where: { grantId: { in: ids } } }),
  ]);
  return ended;
}
