import type { Caller } from '../../authorization/caller.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { connectionAddressOf } from './service.js';
import { deleteConnections, listConnectedUsers } from './services.repository.js';
import { atStore } from './translate-store-error.js';

const atOnce = 20;

/** Takes away what people connected to a service: the tokens first, then the row that tells of them. Gives how many. */
export async function endConnections(
  { db, tenantId }: Pick<Caller, 'db' | 'tenantId'>,
  secrets: Pick<SecretStore, 'destroy'>,
  serviceId: string,
): Promise<number> {
  const userIds = await listConnectedUsers(db, serviceId);
  for (let index = 0; index < userIds.length; index += atOnce) {
    const batch = userIds.slice(index, index + atOnce);
    await Promise.all(
      batch.map((userId) => atStore(secrets.destroy(connectionAddressOf(tenantId, serviceId, userId)))),
    );
    await deleteConnections(db, serviceId, batch);
  }
  return userIds.length;
}
