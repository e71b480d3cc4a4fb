import type { serviceConnectionSchema } from '@authsec/manager-client/contract';
import type { z } from 'zod';
import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { type Connection, deleteConnection, findConnection, listConnections } from './connections.repository.js';
import { forgetTokens } from './forget-tokens.js';
import { type Account, readTokens } from './refresh-connection.js';
import { openRevocation, type RevocationOptions } from './revoke-tokens.js';
import { connectionAddressOf } from './service.js';
import { findService } from './services.repository.js';
import { atStore } from './translate-store-error.js';

export type ConnectionView = z.infer<typeof serviceConnectionSchema>;

export interface ConnectionsService {
  list(caller: Caller, serviceId: string): Promise<ConnectionView[]>;
  /** Told to the service where it can be, and gone here in any case. */
  disconnect(caller: Caller, connection: { serviceId: string; userId: string }, requestId: string): Promise<void>;
}

export interface ConnectionsOptions extends RevocationOptions {
  readonly secrets: SecretStore;
}

export function createConnectionsService(options: ConnectionsOptions): ConnectionsService {
  return {
    async list({ db }, serviceId) {
      if (!(await findService(db, serviceId))) throw new AppError('not_found', 'no such service');
      return (await listConnections(db, serviceId)).map(toView);
    },

    async disconnect(caller, { serviceId, userId }, requestId) {
      const { db, tenantId } = caller;
      const [service, connection] = await Promise.all([
        findService(db, serviceId),
        findConnection(db, serviceId, userId),
      ]);
      if (!service || !connection) throw new AppError('not_found', 'no such connection');
      const revoked = await revoke({ tenantId, service, userId });
      await atStore(forgetTokens(options.secrets, connectionAddressOf(tenantId, serviceId, userId)));
      await db.$transaction(async (transaction) => {
        if (!(await deleteConnection(transaction, connection))) return;
        await recordAuditEvent(transaction, {
          action: 'service.disconnect',
          actor: actorOf(caller),
          target: { kind: 'service', id: serviceId },
          outcome: 'done',
          requestId,
          details: { name: service.name, sub: userId, revoked },
        });
      });
    },
  };

  /** Whether the service says that it knows: it must not keep us from forgetting. */
  async function revoke(account: Pick<Account, 'tenantId' | 'service' | 'userId'>): Promise<boolean> {
    const revokeTokens = await openRevocation(options, account);
    const tokens = revokeTokens && (await readTokens(options.secrets, account).catch(() => undefined));
    return tokens !== undefined && (await revokeTokens?.([tokens.secret])) === 1;
  }
}

function toView({ userId, status, scope, connectedAt, lastUsedAt }: Connection): ConnectionView {
  return {
    sub: userId,
    status,
    scope,
    connected_at: connectedAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
  };
}
