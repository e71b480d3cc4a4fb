import type { serviceConnectionSchema } from '@authsec/manager-client/contract';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { ProviderFailure } from '../identity-providers/provider-failure.js';
import { type Connection, deleteConnection, findConnection, listConnections } from './connections.repository.js';
import { type Account, readTokens } from './refresh-connection.js';
import { connectionAddressOf } from './service.js';
import { readSecretOf } from './service-secret-reader.js';
import { findService } from './services.repository.js';
import type { TokenClient } from './token-client.js';
import { atStore } from './translate-store-error.js';

export type ConnectionView = z.infer<typeof serviceConnectionSchema>;

export interface ConnectionsService {
  list(caller: Caller, serviceId: string): Promise<ConnectionView[]>;
  /** Told to the service where it can be, and gone here in any case. */
  disconnect(caller: Caller, connection: { serviceId: string; userId: string }, requestId: string): Promise<void>;
}

export interface ConnectionsOptions {
  readonly secrets: SecretStore;
  readonly client: Pick<TokenClient, 'revoke'>;
  readonly logger: Logger;
}

const revokeMs = 1_500;

export function createConnectionsService({ secrets, client, logger }: ConnectionsOptions): ConnectionsService {
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
      const { settings } = service;
      const revoked =
        settings.kind === 'oauth2_authorization_code' && (await revoke({ tenantId, db, service, settings, userId }));
      await atStore(secrets.destroy(connectionAddressOf(tenantId, serviceId, userId)));
      await db.$transaction(async (transaction) => {
        if (!(await deleteConnection(transaction, serviceId, userId))) return;
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
  async function revoke(account: Account): Promise<boolean> {
    const { tenantId, service, settings } = account;
    if (settings.revocation_endpoint === undefined) return false;
    try {
      const tokens = await readTokens(secrets, account);
      if (!tokens) return false;
      const kind = 'oauth2_authorization_code';
      const { client_secret: clientSecret } = await readSecretOf(
        secrets,
        { tenantId, service, kind },
        service.secretVersion,
      );
      const { refreshToken, accessToken } = tokens.secret;
      const signal = AbortSignal.timeout(revokeMs);
      await client.revoke({ service, settings, clientSecret, signal }, refreshToken ?? accessToken);
      return true;
    } catch (error) {
      if (!(error instanceof ProviderFailure) && !(error instanceof AppError)) throw error;
      const check = error instanceof ProviderFailure ? error.check : error.code;
      logger.warn({ tenant: tenantId, service: service.id, check }, 'the tokens of a connection were not revoked');
      return false;
    }
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
