import type { Decision as DecisionRow, Prisma } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';

/** Undefined where a decision with this idempotency key is there already. */
export async function insertDecision(
  db: TenantDatabase,
  decision: Prisma.DecisionCreateManyInput,
): Promise<DecisionRow | undefined> {
  const [row] = await db.decision.createManyAndReturn({ data: [decision], skipDuplicates: true });
  return row;
}

export function findDecision(
  db: TenantDatabase,
  id: string,
  applicationId: string | undefined,
): Promise<DecisionRow | null> {
  return db.decision.findFirst({ where: { id, ...(applicationId !== undefined && { applicationId }) } });
}

export function findDecisionByKey(db: TenantDatabase, idempotencyKey: string): Promise<DecisionRow | null> {
  return db.decision.findUnique({ where: { idempotencyKey } });
}
