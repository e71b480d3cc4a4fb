import { randomUUID } from 'node:crypto';
import type { Caller } from '../../authorization/caller.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import type { Service } from './service.js';
import { describeService, serviceEvent } from './service-audit.js';
import {
  assertValidService,
  nameTaken,
  noSuchOwner,
  type ServiceDraft,
  type ServicesOptions,
} from './service-rules.js';
import { parseSecret, type SecretInput } from './service-secret.js';
import { createServiceSecrets } from './service-secrets.js';
import { findServiceByName, insertService } from './services.repository.js';

export interface NewServiceRequest {
  readonly caller: Caller;
  readonly draft: ServiceDraft;
  readonly secret: SecretInput;
  readonly requestId: string;
}

/** The secret first, under an id that nothing knows yet: what goes wrong later leaves nothing that can be used. */
export async function createService(options: ServicesOptions, request: NewServiceRequest): Promise<Service> {
  const { caller, draft, requestId } = request;
  const { db, tenantId } = caller;
  await assertValidService(db, draft, { options });
  const secret = parseSecret(draft.settings, request.secret);
  if (await findServiceByName(db, draft.name)) throw nameTaken();
  const secrets = createServiceSecrets(options.secrets);
  const service = { ...draft, id: randomUUID() };
  try {
    const secretVersion = await keep();
    return await db.$transaction(async (transaction) => {
      const row = await insertService(transaction, { ...service, secretVersion });
      if (row === 'taken') throw nameTaken();
      if (row === 'no_owner') throw noSuchOwner();
      const details = describeService(row);
      await recordAuditEvent(transaction, serviceEvent('service.created', caller, row, { requestId, details }));
      return row;
    });
  } catch (error) {
    await secrets.remove(tenantId, service).catch(() => {});
    throw error;
  }

  async function keep(): Promise<number> {
    if (service.kind !== 'database') return secrets.add(tenantId, service.id, secret);
    await secrets.configureDatabase(tenantId, service, secret);
    return 1;
  }
}
