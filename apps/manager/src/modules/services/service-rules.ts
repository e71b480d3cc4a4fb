import { compileRequirement } from '../../authorization/compile-requirement.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError, type FieldError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import { findUnknownClientIds } from '../applications/applications.service.js';
import type { EndConnectionsOptions } from './end-connections.js';
import type { Service } from './service.js';
import type { MayConnectTo } from './service-address.js';
import { problemsOf } from './service-problems.js';

export interface ServicesOptions extends EndConnectionsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly allowHttp: boolean;
  /** The operator's word; a service must say so too. */
  readonly allowPrivateAddresses: boolean;
  readonly mayConnectTo: MayConnectTo;
}

/** What of a service is decided by those who may write it. */
export type ServiceDraft = Omit<
  Service,
  | 'id'
  | 'secretVersion'
  | 'previousSecretVersion'
  | 'previousSecretUntil'
  | 'lastUsedAt'
  | 'lastCheckAt'
  | 'lastCheckOutcome'
  | 'createdAt'
  | 'updatedAt'
>;

/** AppError 'invalid_request' with the fields, or that of the requirement. `before`: what stood there already is not asked about again. */
export async function assertValidService(
  db: TenantDatabase,
  draft: ServiceDraft,
  { options, before }: { readonly options: ServicesOptions; readonly before?: Service },
): Promise<void> {
  const { allowHttp, allowPrivateAddresses, mayConnectTo } = options;
  const allowPrivate = allowPrivateAddresses && draft.allowPrivateAddresses;
  const added = draft.applications.filter((clientId) => !before?.applications.includes(clientId));
  const unknown = new Set(added.length > 0 ? await findUnknownClientIds(db, added) : []);
  const applications = draft.applications.flatMap((clientId, index): FieldError[] =>
    unknown.has(clientId) ? [{ pointer: `/applications/${index}`, detail: 'is no application of this tenant' }] : [],
  );
  const fields = [...problemsOf(draft, { allowHttp, allowPrivate, mayConnectTo }), ...applications].slice(0, 20);
  if (fields.length > 0) throw new AppError('invalid_request', 'the service is not valid', { fields });
  compileRequirement(draft.requirement);
}

export function noSuchService(): AppError {
  return new AppError('not_found', 'no such service');
}

export function noSuchOwner(): AppError {
  const fields = [{ pointer: '/owner', detail: 'is no person of this tenant' }];
  return new AppError('invalid_request', 'the owner is not there', { fields });
}

export function nameTaken(): AppError {
  return new AppError('conflict', 'the name is that of another service');
}
