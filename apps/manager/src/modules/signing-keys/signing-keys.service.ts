import type { SigningKeyView } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { GenerateSigningKey } from '../../ports/signing-keys.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import { kidsOf, rotateSigningKey } from './rotate-signing-key.js';
import { toSigningKeyView } from './signing-key.js';
import * as repository from './signing-keys.repository.js';

export interface SigningKeysService {
  list(caller: Caller): Promise<SigningKeyView[]>;
  /** AppError 'conflict' where too many keys retire already. */
  rotate(caller: Caller, overlapSeconds: number, requestId: string): Promise<SigningKeyView[]>;
  /** Refuses every access token issued before, on all replicas from its commit on. */
  revoke(caller: Caller, options: { readonly endSessions: boolean }, requestId: string): Promise<Revocation>;
}

export interface Revocation {
  readonly keys: SigningKeyView[];
  readonly revokedAt: Date;
  readonly endedSessions: number;
}

export interface SigningKeysOptions {
  readonly generateSigningKey: GenerateSigningKey;
  readonly sessions: Pick<SessionsService, 'endAllSessions'>;
  readonly events: EventBus;
}

/** The keys that sign a tenant's tokens. Whoever keeps something of them is woken by the event bus. */
export function createSigningKeysService(options: SigningKeysOptions): SigningKeysService {
  const { generateSigningKey, sessions, events } = options;

  return {
    list: async ({ db }) => (await repository.listKeys(db)).map(toSigningKeyView),

    async rotate(caller, overlapSeconds, requestId) {
      const { tenantId, db } = caller;
      const rotation = { tenantId, db, overlapSeconds, actor: actorOf(caller), requestId };
      await rotateSigningKey(rotation, { generateSigningKey, events });
      return (await repository.listKeys(db)).map(toSigningKeyView);
    },

    async revoke(caller, { endSessions }, requestId) {
      const { tenantId, db } = caller;
      const key = await generateSigningKey(tenantId);
      const { keys, revokedAt } = await db.$transaction(async (transaction) => {
        await repository.lockSigningKeys(transaction);
        const before = await repository.listKeys(transaction);
        const at = await repository.revokeKeys(transaction);
        await repository.insertKey(transaction, key);
        await recordAuditEvent(transaction, {
          action: 'signing-key.revoke',
          actor: actorOf(caller),
          target: { kind: 'signing-key', id: key.kid },
          outcome: 'done',
          requestId,
          details: {
            revoked: [...kidsOf(before, 'active'), ...kidsOf(before, 'retiring')],
            end_sessions: endSessions,
          },
        });
        return { keys: await repository.listKeys(transaction), revokedAt: at };
      });
      await events.publish(tenantId);
      const endedSessions = endSessions ? await sessions.endAllSessions({ tenantId, db, reason: 'revoked' }) : 0;
      return { keys: keys.map(toSigningKeyView), revokedAt, endedSessions };
    },
  };
}

/** For the purge that passes by each minute: retires keys whose overlap is over. */
export const retireOverdueKeys = repository.retireOverdueKeys;
