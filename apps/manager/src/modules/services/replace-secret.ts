import type { Prisma } from '@authsec/prisma/tenant';
import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { SecretValue } from '../../ports/secret-store.js';
import type { Service } from './service.js';
import { noSuchOwner, noSuchService, type ServicesOptions } from './service-rules.js';
import { createServiceSecrets } from './service-secrets.js';
import { findService, type ServiceChange, updateService } from './services.repository.js';

export interface Replacement {
  readonly caller: Caller;
  readonly before: Service;
  readonly change: ServiceChange;
  /** Undefined keeps the one in use. */
  readonly secret: SecretValue | undefined;
  /** Until when the one in use still works beside the new one; null where it does not. */
  readonly previousUntil: Date | null;
  /** Written with the change, or not at all. */
  readonly alongside: (transaction: Prisma.TransactionClient, row: Service) => Promise<void>;
}

/**
 * Changes a service, its secret as well where one is given. The new version is in the store before the row names it, and
 * a row names it only where nobody else replaced the secret meanwhile: else it is destroyed, and `conflict` is the answer.
 */
export async function replaceSecret(options: ServicesOptions, replacement: Replacement): Promise<Service> {
  const { caller, before, secret, previousUntil, alongside } = replacement;
  const { db, tenantId } = caller;
  const secrets = createServiceSecrets(options.secrets);
  const isDatabase = before.kind === 'database';
  const version = secret && (isDatabase ? before.secretVersion + 1 : await secrets.add(tenantId, before.id, secret));
  const change: ServiceChange = { ...replacement.change, ...(version && versionsOf(version)) };
  let row: Service;
  try {
    row = await db.$transaction(async (transaction) => {
      const changed = await updateService(transaction, before.id, { secretVersion: before.secretVersion, change });
      if (changed === 'no_owner') throw noSuchOwner();
      if (changed === undefined || changed === 'taken') throw await reasonOf(transaction, before.id);
      await alongside(transaction, changed);
      // Last, and under the lock of the row: of two that come at once, the store and the row have the same one's.
      if (secret && isDatabase) await secrets.configureDatabase(tenantId, changed, secret, before);
      return changed;
    });
  } catch (error) {
    if (version && !isDatabase) await secrets.drop(tenantId, before.id, version);
    throw error;
  }
  if (version && !isDatabase) await secrets.clean(tenantId, before.id, version, [row.previousSecretVersion]);
  return row;

  function versionsOf(secretVersion: number): ServiceChange {
    const overlaps = previousUntil !== null && before.secretVersion > 0;
    return {
      secretVersion,
      previousSecretVersion: overlaps ? before.secretVersion : null,
      previousSecretUntil: overlaps ? previousUntil : null,
    };
  }
}

async function reasonOf(transaction: Prisma.TransactionClient, id: string): Promise<AppError> {
  if (!(await findService(transaction, id))) return noSuchService();
  return new AppError('conflict', 'the secret of the service was replaced meanwhile');
}
