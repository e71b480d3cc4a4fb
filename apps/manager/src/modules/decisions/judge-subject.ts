import type { Grants } from '@authsec/rbac-core';
import type { Caller } from '../../authorization/caller.js';
import { evaluateMachine } from '../../authorization/evaluate-machine.js';
import { holdsPermission } from '../../authorization/holds-permission.js';
import { AppError } from '../../errors/app-error.js';
import { findActiveApplication } from '../applications/applications.service.js';
import type { SessionsService } from '../sessions/sessions.service.js';

/** Whom a decision is about: the person of a session, or a machine. */
export type Subject = { readonly sid: string } | { readonly clientId: string };

export interface JudgedSubject {
  /** `sub` of the person, or the client id. */
  readonly subject: string;
  readonly sessionId: string | null;
  readonly grants: Grants;
  readonly policyVersion: bigint;
}

/** Asked in the service, since who asks about its own things needs no permission. */
export const decideForMachines = 'authsec:decisions:write';

/** AppError 'not_found' for a session or machine that is not alive or that the caller may not ask about. */
export async function judgeSubject(
  sessions: Pick<SessionsService, 'renew'>,
  caller: Caller,
  subject: Subject,
  at: number,
): Promise<JudgedSubject> {
  if ('clientId' in subject) return judgeMachine(caller, subject.clientId, at);
  const [state] = await sessions.renew(caller, [subject.sid]);
  if (state?.status !== 'active') throw new AppError('not_found', 'no such session within reach');
  const { sub, sid, grants, policy_version: version } = state;
  return { subject: sub, sessionId: sid, grants, policyVersion: BigInt(version) };
}

async function judgeMachine(caller: Caller, clientId: string, at: number): Promise<JudgedSubject> {
  const { db, application } = caller;
  const machine = clientId === application.clientId ? application : await findOther(caller, clientId);
  if (!machine) throw new AppError('not_found', 'no such machine within reach');
  const { grants, policyVersion } = await evaluateMachine(db, machine.id, at);
  return { subject: clientId, sessionId: null, grants, policyVersion };
}

async function findOther(caller: Caller, clientId: string) {
  if (!holdsPermission(await caller.principal(), decideForMachines)) return undefined;
  return findActiveApplication(caller.db, clientId);
}
