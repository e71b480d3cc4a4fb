import type { Grants } from '@authsec/rbac-core';
import { type Caller, onlyOf } from '../../authorization/caller.js';
import { evaluatePerson } from '../../authorization/evaluate-person.js';
import { AppError } from '../../errors/app-error.js';
import { endOf } from './renew-sessions.js';
import { boundsOf } from './session.js';
import { findSession, findSessionOf } from './sessions.repository.js';

export interface JudgedSession {
  readonly sid: string;
  readonly userId: string;
  readonly applicationId: string;
  /** Of the tool manifest of the server that holds it; null where that said none. */
  readonly manifestDigest: string | null;
  readonly grants: Grants;
  readonly policyVersion: bigint;
}

/** A session within the caller's reach, judged as a renewal would. */
export async function judgeSession(caller: Caller, sid: string, at: number): Promise<JudgedSession> {
  const { db } = caller;
  const row = await findSession(db, sid);
  const within = row && (onlyOf(caller) ?? row.applicationId) === row.applicationId;
  const session = within ? await findSessionOf(db, row.applicationId, sid) : undefined;
  const ended = session ? endOf(session, at) : 'unknown';
  if (!row || !session || ended === 'unknown') throw new AppError('not_found', 'no such session within reach');
  if (ended) throw new AppError('session_ended', `the session has ended: ${ended}`);
  const { userId } = session;
  const person = await evaluatePerson(db, userId, boundsOf(session), at);
  if (person?.status !== 'active') throw new AppError('session_ended', 'the person is gone or disabled');
  const { applicationId, manifestDigest } = row;
  return { sid, userId, applicationId, manifestDigest, grants: person.grants, policyVersion: person.policyVersion };
}
