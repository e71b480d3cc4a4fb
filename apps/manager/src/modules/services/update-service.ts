import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { endConnections } from './end-connections.js';
import type { Service } from './service.js';
import { describeServiceChange, serviceEvent } from './service-audit.js';
import { endsConnections, goesElsewhere } from './service-destination.js';
import { replaceSecret } from './replace-secret.js';
import { assertValidService, noSuchService, type ServiceDraft, type ServicesOptions } from './service-rules.js';
import { parseSecret, type SecretInput } from './service-secret.js';
import { deleteConnectAttempts, deleteConnections, findService } from './services.repository.js';

export interface ServiceUpdateRequest {
  readonly caller: Caller;
  readonly id: string;
  readonly change: Partial<Omit<ServiceDraft, 'name' | 'kind'>>;
  readonly secret: SecretInput | undefined;
  readonly requestId: string;
}

/** A secret that would go elsewhere is given anew or not sent at all; what people connected there before has ended then. */
export async function updateService(options: ServicesOptions, request: ServiceUpdateRequest): Promise<Service> {
  const { caller, id, change, requestId } = request;
  const before = await findService(caller.db, id);
  if (!before) throw noSuchService();
  const after = { ...before, ...change };
  if (after.settings.kind !== before.kind) throw invalid('/settings/kind', 'cannot be changed');
  await assertValidService(caller.db, after, { options, before });
  const secret = request.secret && parseSecret(after.settings, request.secret);
  if (!secret && goesElsewhere(before, after)) {
    throw invalid('/secret', 'must be given again where it goes, or does, something else');
  }
  const startAnew = endsConnections(before, after);
  const connectionsEnded = startAnew ? await endConnections(options, caller, before, { goes: false }) : 0;
  return replaceSecret(options, {
    caller,
    before,
    change,
    secret,
    previousUntil: null,
    alongside: async (transaction, row) => {
      if (startAnew) {
        await deleteConnectAttempts(transaction, row.id);
        await deleteConnections(transaction, row.id);
      }
      const details = {
        ...describeServiceChange(before, row),
        ...(secret && { secret_version: row.secretVersion }),
        ...(startAnew && { connections_ended: connectionsEnded }),
      };
      await recordAuditEvent(transaction, serviceEvent('service.updated', caller, row, { requestId, details }));
    },
  });
}

function invalid(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', `the change cannot be made: ${pointer} ${detail}`, {
    fields: [{ pointer, detail }],
  });
}
