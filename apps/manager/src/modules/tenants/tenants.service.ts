import type { Tenant } from '@authsec/prisma/master';
import type { TenantClients, TenantDatabase } from '../../db/tenant-clients.js';
import { sealedDatabaseUrlOf } from '../../db/tenant-database-url.js';
import { withDatabaseErrors } from '../../db/translate-database-error.js';
import { AppError } from '../../errors/app-error.js';
import type { SealedValue } from '../../ports/sealer.js';
import { provisionTenant, type NewTenant, type Provisioning } from './provision-tenant.js';
import { type RewrapResult, rewrapValues } from './rewrap-values.js';
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
  /** Puts what is sealed for a tenant under the first sealing key; asked again it goes on, until nothing remains. */
  rewrap(tenantId: string): Promise<RewrapResult>;
}

export interface TenantsServiceOptions extends Provisioning {
  readonly clients: Pick<TenantClients, 'open' | 'forget'>;
  /** What is sealed in a tenant's own database. */
  readonly sealedValuesOf: (tenantId: string, db: TenantDatabase) => AsyncIterable<SealedValue>;
  /** Called once a tenant is there; it does not reject. */
  readonly onProvisioned?: (tenantId: string) => Promise<void>;
}

export function createTenantsService(options: TenantsServiceOptions): TenantsService {
  const { clients, sealedValuesOf, onProvisioned, ...provisioning } = options;
  const { master, sealer } = provisioning;
  const service: TenantsService = {
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
      await onProvisioned?.(tenant.tenantId);
      return row;
    },
    async rewrap(tenantId) {
      const row = await service.get(tenantId);
      const values = sealedValuesOf(tenantId, await clients.open(tenantId));
      return withDatabaseErrors(() => rewrapValues(sealer, [sealedDatabaseUrlOf(master, row)], values));
    },
  };
  return service;
}
