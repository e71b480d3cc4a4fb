import { type Bounds, effectiveGrants, type Grants } from '@authsec/rbac-core';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { loadHoldings } from './load-holdings.js';

export interface EvaluatedPerson {
  readonly email: string;
  readonly emailVerified: boolean;
  readonly status: 'active' | 'disabled';
  /** Of a disabled person: what it would hold. */
  readonly grants: Grants;
  /** Epoch milliseconds at which the first of the grants falls away by itself. */
  readonly nextChangeAt: number | null;
  readonly policyVersion: bigint;
}

export interface PersonQuestion {
  readonly userId: string;
  readonly bounds: Bounds;
}

/** All that the person holds. */
export const unbounded: Bounds = Object.freeze({ roles: 'held', groups: 'held', scopes: 'held', resources: 'held' });

/** What a person effectively holds at a moment (epoch milliseconds), within the bounds; undefined where there is none. */
export async function evaluatePerson(
  db: TenantDatabase,
  userId: string,
  bounds: Bounds,
  at: number,
): Promise<EvaluatedPerson | undefined> {
  const [person] = await evaluatePeople(db, [{ userId, bounds }], at);
  return person;
}

/** The same for many, in one query; answers in the order of the questions. */
export async function evaluatePeople(
  db: TenantDatabase,
  questions: readonly PersonQuestion[],
  at: number,
): Promise<(EvaluatedPerson | undefined)[]> {
  if (questions.length === 0) return [];
  const userIds = [...new Set(questions.map((question) => question.userId))];
  const loaded = await loadHoldings(db, { userIds });
  return questions.map(({ userId, bounds }) => {
    const person = loaded.people.get(userId);
    if (!person) return undefined;
    return { ...person, ...effectiveGrants(loaded.of(userId), bounds, at), policyVersion: loaded.policyVersion };
  });
}
