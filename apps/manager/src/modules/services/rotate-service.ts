import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { replaceSecret } from './replace-secret.js';
import type { Service } from './service.js';
import { serviceEvent } from './service-audit.js';
import { noSuchService, type ServicesOptions } from './service-rules.js';
import { parseSecret, type SecretInput } from './service-secret.js';
import { findService } from './services.repository.js';

export interface RotationRequest {
  readonly caller: Caller;
  readonly id: string;
  readonly secret: SecretInput;
  /** 0: the one before is destroyed at once. */
  readonly overlapSeconds: number;
  readonly requestId: string;
}

export async function rotateService(options: ServicesOptions, request: RotationRequest): Promise<Service> {
  const { caller, id, overlapSeconds, requestId } = request;
  const before = await findService(caller.db, id);
  if (!before) throw noSuchService();
  const secret = parseSecret(before.settings, request.secret);
  if (before.kind === 'database' && overlapSeconds > 0) {
    // The accounts that live go on by themselves; of the one that makes them there is one.
    const fields = [{ pointer: '/overlap_seconds', detail: 'is not for the kind database' }];
    throw new AppError('invalid_request', 'a database has one account at a time', { fields });
  }
  const previousUntil = overlapSeconds > 0 ? new Date(options.clock.now() + overlapSeconds * 1_000) : null;
  return replaceSecret(options, {
    caller,
    before,
    change: {},
    secret,
    previousUntil,
    alongside: (transaction, row) => {
      const { secretVersion, previousSecretVersion, previousSecretUntil } = row;
      const details = {
        secret_version: secretVersion,
        previous_secret_version: previousSecretVersion,
        previous_secret_until: previousSecretUntil?.toISOString() ?? null,
      };
      return recordAuditEvent(transaction, serviceEvent('service.rotated', caller, row, { requestId, details }));
    },
  });
}
