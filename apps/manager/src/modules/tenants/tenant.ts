import { tenantIdSchema } from '@authsec/manager-client/contract';
import { AppError } from '../../errors/app-error.js';

/** Kept equal to the check in the master's first migration by a test. Only the system tenant may bear one. */
export const reservedTenantIds: ReadonlySet<string> = new Set(
  (
    'admin api assets auth authsec console docs health healthz internal login logout manager master ' +
    'metrics null oauth oidc operator postgres public readyz root security static status support system ' +
    'template0 template1 tenant tenants undefined v1 well-known www'
  ).split(' '),
);

export function isTenantId(value: unknown): value is string {
  return tenantIdSchema.safeParse(value).success;
}

/** For an id that is to be given to a new tenant. */
export function assertNewTenantId(id: string, isSystem: boolean): void {
  if (!isTenantId(id)) throw invalid(id, 'must match ^[a-z][a-z0-9-]{1,39}$');
  if (!isSystem && reservedTenantIds.has(id)) throw invalid(id, 'is a reserved word');
}

/** Names both the tenant's database and the role that owns it. */
export function databaseNameOf(tenantId: string): string {
  return `tenant_${tenantId}`;
}

function invalid(id: string, detail: string): AppError {
  return new AppError('invalid_request', `tenant id ${JSON.stringify(id)} ${detail}`, {
    fields: [{ pointer: '/path/tenant_id', detail }],
  });
}
