import { serviceSecretSchemas, type ServiceKind } from '@authsec/manager-client/contract';
import type { z } from 'zod';
import { AppError } from '../../errors/app-error.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { secretAddressOf, type Service } from './service.js';
import { atStore } from './translate-store-error.js';

export type SecretOfKind<K extends ServiceKind> = z.output<(typeof serviceSecretSchemas)[K]>;

/** The secret of a service in the shape of its kind; AppError 'secret_missing' also for what has another shape. */
export async function readSecretOf<K extends ServiceKind>(
  secrets: Pick<SecretStore, 'read'>,
  { tenantId, service, kind }: { readonly tenantId: string; readonly service: Pick<Service, 'id'>; readonly kind: K },
  version: number,
): Promise<SecretOfKind<K>> {
  const { value } = await atStore(secrets.read(secretAddressOf(tenantId, service.id), { version }));
  const parsed = serviceSecretSchemas[kind].safeParse(value);
  if (!parsed.success) throw new AppError('secret_missing', `the secret of service ${service.id} is not of ${kind}`);
  return parsed.data as SecretOfKind<K>;
}
