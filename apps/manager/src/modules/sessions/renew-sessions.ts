import type { SessionState } from '@authsec/manager-client/contract';
import { type Caller, reachesSession } from '../../authorization/caller.js';
import { evaluatePeople } from '../../authorization/evaluate-person.js';
import { type BoundSession, boundsOf, type EndedReason, toActiveSession, toEndedReason } from './session.js';
import { findSessionsOf } from './sessions.repository.js';

/** Re-evaluates sessions of the calling application, in the order asked; two queries whatever their number. */
export async function renewSessions(caller: Caller, sids: readonly string[], at: number): Promise<SessionState[]> {
  const reached = [...new Set(sids)].filter((sid) => reachesSession(caller, sid));
  const rows = await findSessionsOf(caller.db, caller.application.id, reached);
  const states = new Map<string, SessionState>();
  const living: BoundSession[] = [];
  for (const row of rows) {
    const ended = endOf(row, at);
    if (ended) states.set(row.sid, { status: 'ended', sid: row.sid, reason: ended });
    else living.push(row);
  }
  const questions = living.map((session) => ({ userId: session.userId, bounds: boundsOf(session) }));
  const people = await evaluatePeople(caller.db, questions, at);
  living.forEach((session, index) => {
    const person = people[index];
    const state: SessionState =
      person?.status === 'active'
        ? toActiveSession(session, person, { tenantId: caller.tenantId, at })
        : { status: 'ended', sid: session.sid, reason: person ? 'user_disabled' : 'unknown' };
    states.set(session.sid, state);
  });
  return sids.map((sid) => states.get(sid) ?? { status: 'ended', sid, reason: 'unknown' });
}

/** A login that was never bound is not a session yet. */
export function endOf(
  row: { boundAt: Date | null; endedAt: Date | null; endReason: string | null; expiresAt: Date },
  at: number,
): EndedReason | undefined {
  if (row.endedAt) return toEndedReason(row.endReason);
  if (row.expiresAt.getTime() <= at) return 'expired';
  return row.boundAt ? undefined : 'unknown';
}
