import type { Prisma } from '@authsec/prisma/tenant';

export async function insertAuditEvent(
  transaction: Pick<Prisma.TransactionClient, 'auditEvent'>,
  row: Prisma.AuditEventCreateInput,
): Promise<void> {
  await transaction.auditEvent.create({ data: row, select: { id: true } });
}
