import type { Tenant } from '@authsec/prisma/master';
import type { TenantClients } from '../../db/tenant-clients.js';
import { withDatabaseErrors } from '../../db/translate-database-error.js';
import { AppError } from '../../errors/app-error.js';
import { provisionTenant, type NewTenant, type Provisioning } from './provision-tenant.js';
import { isTenantId } from './tenant.js';
import { findTenant, listTenants } from './tenants.repository.js';

export interface TenantsService {
  /** In order of their ids. */
  list(): Promise<Tenant[]>;
  /** AppError `not_found`. */
  get(tenantId: string): Promise<Tenant>;
  /** Whether it is the one tenant whose people are operators. */
  isSystem(tenantId: string): Promise<boolean>;
  /** Makes it, or goes on where an earlier call stopped; only the display name of a complete one changes. */
  provision(tenant: NewTenant): Promise<Tenant>;
}

export interface TenantsServiceOptions extends Provisioning {
  readonly clients: Pick<TenantClients, 'forget'>;
}

export function createTenantsService({ clients, ...provisioning }: TenantsServiceOptions): TenantsService {
  const { master } = provisioning;
  return {
    list: () => withDatabaseErrors(() => listTenants(master)),
    async get(tenantId) {
      const tenant = isTenantId(tenantId) ? await withDatabaseErrors(() => findTenant(master, tenantId)) : null;
      if (!tenant) throw new AppError('not_found', `there is no tenant ${tenantId}`);
      return tenant;
    },
    isSystem: async (tenantId) => (await withDatabaseErrors(() => findTenant(master, tenantId)))?.isSystem ?? false,
    async provision(tenant) {
      const row = await withDatabaseErrors(() => provisionTenant(tenant, provisioning));
      clients.forget(tenant.tenantId);
      return row;
    },
  };
}
