import type { Caller } from '../../authorization/caller.js';
import type { SecretStore } from '../../ports/secret-store.js';
import type { ConnectionSecret } from './connection-secret.js';
import { forgetTokens } from './forget-tokens.js';
import { readTokens } from './refresh-connection.js';
import { openRevocation, type RevocationOptions } from './revoke-tokens.js';
import { connectionAddressOf, type Service } from './service.js';
import { deleteConnections, listConnectedUsers } from './services.repository.js';
import { atStore } from './translate-store-error.js';

export interface EndConnectionsOptions extends RevocationOptions {
  readonly secrets: SecretStore;
}

const atOnce = 20;

/**
 * Takes away what people connected to a service: the tokens first, then the row that tells of them. Gives how many. The
 * service is told afterwards, which nobody waits for. `goes`: nobody connects to it again, and not a trace stays.
 */
export async function endConnections(
  options: EndConnectionsOptions,
  { db, tenantId }: Pick<Caller, 'db' | 'tenantId'>,
  service: Service,
  { goes }: { readonly goes: boolean },
): Promise<number> {
  const { secrets } = options;
  const userIds = await listConnectedUsers(db, service.id);
  if (userIds.length === 0) return 0;
  const revoke = await openRevocation(options, { tenantId, service });
  const ended: ConnectionSecret[] = [];
  try {
    for (let index = 0; index < userIds.length; index += atOnce) {
      const batch = userIds.slice(index, index + atOnce);
      await Promise.all(batch.map(end));
      await deleteConnections(db, service.id, batch);
    }
  } finally {
    void revoke?.(ended);
  }
  return userIds.length;

  async function end(userId: string): Promise<void> {
    const address = connectionAddressOf(tenantId, service.id, userId);
    const found = revoke && (await readTokens(secrets, { tenantId, service, userId }).catch(() => undefined));
    await atStore(goes ? secrets.destroy(address) : forgetTokens(secrets, address));
    if (found) ended.push(found.secret);
  }
}
