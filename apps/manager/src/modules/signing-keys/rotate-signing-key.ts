import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { GenerateSigningKey } from '../../ports/signing-keys.js';
import type { AuditEvent } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { maxRetiringKeys } from './signing-key.js';
import * as repository from './signing-keys.repository.js';

export interface SigningKeyRotation {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly overlapSeconds: number;
  readonly actor: AuditEvent['actor'];
  readonly requestId: string;
}

/** Gives the `kid` that signs from now on. AppError 'conflict' where too many keys retire already. */
export async function rotateSigningKey(
  { tenantId, db, overlapSeconds, actor, requestId }: SigningKeyRotation,
  { generateSigningKey, events }: { readonly generateSigningKey: GenerateSigningKey; readonly events: EventBus },
): Promise<string> {
  const key = await generateSigningKey(tenantId);
  await db.$transaction(async (transaction) => {
    await repository.lockSigningKeys(transaction);
    await repository.retireOverdueKeys(transaction);
    const before = await repository.listKeys(transaction);
    if (before.filter(({ status }) => status === 'retiring').length >= maxRetiringKeys) {
      throw new AppError('conflict', 'too many keys are retiring');
    }
    await repository.retireActiveKeys(transaction, overlapSeconds);
    await repository.insertKey(transaction, key);
    await recordAuditEvent(transaction, {
      action: 'signing-key.rotate',
      actor,
      target: { kind: 'signing-key', id: key.kid },
      outcome: 'done',
      requestId,
      details: { retiring: kidsOf(before, 'active'), overlap_seconds: overlapSeconds },
    });
  });
  await events.publish(tenantId);
  return key.kid;
}

export function kidsOf(keys: readonly { kid: string; status: string }[], status: string): string[] {
  return keys.filter((key) => key.status === status).map(({ kid }) => kid);
}
