import { effectiveGrants, type Grants } from '@authsec/rbac-core';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { unbounded } from './evaluate-person.js';
import { loadHoldings } from './load-holdings.js';

export interface EvaluatedMachine {
  readonly grants: Grants;
  /** Epoch milliseconds at which the first of the grants falls away by itself. */
  readonly nextChangeAt: number | null;
  readonly policyVersion: bigint;
}

/** What an application effectively holds by its own roles (application_roles) at a moment (epoch milliseconds). */
export async function evaluateMachine(
  db: TenantDatabase,
  applicationId: string,
  at: number,
): Promise<EvaluatedMachine> {
  const loaded = await loadHoldings(db, { applicationIds: [applicationId] });
  return { ...effectiveGrants(loaded.of(applicationId), unbounded, at), policyVersion: loaded.policyVersion };
}
