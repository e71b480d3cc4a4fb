import type { ActiveSession, SessionState, SessionSummary } from '@authsec/manager-client/contract';
import type { Bounds } from '@authsec/rbac-core';
import type { EvaluatedPerson } from '../../authorization/evaluate-person.js';

export type SessionEndReason = 'expired' | 'logged_out' | 'revoked' | 'user_disabled';
export type EndedReason = Extract<SessionState, { status: 'ended' }>['reason'];

/** The tool manifest of the server that holds a session. */
export interface SessionManifest {
  readonly sid: string;
  readonly digest: string;
}

/** A login with what bounds it now. */
export interface BoundSession {
  readonly sid: string;
  readonly userId: string;
  readonly expiresAt: Date;
  /** Approved at login. */
  readonly scopes: readonly string[];
  /** What its application may ask for now. */
  readonly applicationScopes: readonly string[];
  /** As it was when all this was read. */
  readonly policyVersion: bigint;
}

export interface ListedSession {
  readonly id: string;
  readonly userId: string;
  readonly clientName: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly boundAt: Date | null;
  readonly endedAt: Date | null;
  readonly endReason: string | null;
  readonly user: { readonly email: string };
  readonly application: { readonly clientId: string };
}

const maxLeaseSeconds = 30;

/** In-band, a person has all that is held now; of scopes what was approved and what the application may still ask for. */
export function boundsOf(session: BoundSession): Bounds {
  const allowed = new Set(session.applicationScopes);
  return {
    roles: 'held',
    groups: 'held',
    resources: 'held',
    scopes: session.scopes.filter((scope) => allowed.has(scope)),
  };
}

/** The answer about a session whose person was evaluated at a moment (epoch milliseconds). */
export function toActiveSession(
  session: BoundSession,
  person: EvaluatedPerson,
  { tenantId, at }: { readonly tenantId: string; readonly at: number },
): ActiveSession {
  const endsAt = Math.min(session.expiresAt.getTime(), person.nextChangeAt ?? Infinity);
  const horizon = Math.max(0, (endsAt - at) / 1000);
  const { roles, groups, scopes, resources, permissions } = person.grants;
  return {
    status: 'active',
    sid: session.sid,
    tenant_id: tenantId,
    sub: session.userId,
    email: person.email,
    grants: {
      roles: [...roles],
      groups: [...groups],
      scopes: [...scopes],
      resources: [...resources],
      permissions: [...permissions],
    },
    lease_seconds: Math.min(maxLeaseSeconds, horizon),
    horizon_seconds: horizon,
    // Not the person's: their rights were read after what bounds them.
    policy_version: session.policyVersion.toString(),
  };
}

export function toSummary(session: ListedSession): SessionSummary {
  return {
    sid: session.id,
    client_id: session.application.clientId,
    sub: session.userId,
    email: session.user.email,
    client_name: session.clientName,
    created_at: session.createdAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    bound_at: session.boundAt?.toISOString() ?? null,
    ended_at: session.endedAt?.toISOString() ?? null,
    end_reason: session.endReason,
  };
}

/** The wire's reason for what stands in the row. */
export function toEndedReason(reason: string | null): EndedReason {
  return reason === 'logged_out' || reason === 'user_disabled' || reason === 'expired' ? reason : 'revoked';
}
