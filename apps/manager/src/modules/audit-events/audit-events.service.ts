import type { Prisma } from '@authsec/prisma/tenant';
import { type AuditEvent, toAuditRow } from './audit-event.js';
import { insertAuditEvent } from './audit-events.repository.js';

/** In the transaction of what it tells of: neither is written without the other. */
export function recordAuditEvent(
  transaction: Pick<Prisma.TransactionClient, 'auditEvent'>,
  event: AuditEvent,
): Promise<void> {
  return insertAuditEvent(transaction, toAuditRow(event));
}
