import type { Caller } from '../../authorization/caller.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { endConnections } from './end-connections.js';
import { describeService, serviceEvent } from './service-audit.js';
import { noSuchService, type ServicesOptions } from './service-rules.js';
import { createServiceSecrets } from './service-secrets.js';
import { deleteService, endLeasesOfService, findService } from './services.repository.js';

/** Nothing of it stays in the store; where the store is away the service stays as it is. */
export async function removeService(
  options: Pick<ServicesOptions, 'secrets' | 'client' | 'logger'>,
  caller: Caller,
  id: string,
  requestId: string,
): Promise<void> {
  const service = await findService(caller.db, id);
  if (!service) throw noSuchService();
  const connectionsEnded = await endConnections(options, caller, service, { goes: true });
  await caller.db.$transaction(async (transaction) => {
    await endLeasesOfService(transaction, service.id);
    if (!(await deleteService(transaction, service.id))) throw noSuchService();
    const details = { ...describeService(service), connections_ended: connectionsEnded };
    await recordAuditEvent(transaction, serviceEvent('service.deleted', caller, service, { requestId, details }));
    // Last: what cannot be destroyed keeps the row that says where it is.
    await createServiceSecrets(options.secrets).remove(caller.tenantId, service);
  });
}
