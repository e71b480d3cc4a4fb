import type { ActiveSession } from '@authsec/manager-client';

/** No answer is relied on for longer than this after it was asked for. */
export const maxLeaseMs = 30_000;

/** When a request was sent: on the monotonic clock, and under which position of the change feed. */
export interface Sent {
  readonly at: number;
  readonly generation: number;
}

/** Until when an answer may be relied on, in monotonic milliseconds. */
export interface Lease {
  readonly until: number;
  /** As of when the Manager is known to have said so. */
  readonly confirmedAt: number;
  /** Where the first assignment or the grant ends: no poll extends beyond it. */
  readonly horizon: number;
}

/** The lease of an answer, counted from when its request was sent. */
export function leaseOf(session: ActiveSession, sentAt: number): Lease {
  const horizon = sentAt + session.horizon_seconds * 1000;
  const until = Math.min(sentAt + Math.min(session.lease_seconds * 1000, maxLeaseMs), horizon);
  return { until, confirmedAt: sentAt, horizon };
}

/** The lease after a poll that found nothing changed: the Manager looked at the database `heldMs` after it was asked, or later. */
export function extendLease(lease: Lease, poll: { sentAt: number; receivedAt: number; heldMs: number }): Lease {
  const lookedAt = poll.sentAt + Math.min(poll.heldMs, poll.receivedAt - poll.sentAt);
  const until = Math.min(lookedAt + maxLeaseMs, lease.horizon);
  return {
    until: Math.max(until, lease.until),
    confirmedAt: Math.max(lookedAt, lease.confirmedAt),
    horizon: lease.horizon,
  };
}
