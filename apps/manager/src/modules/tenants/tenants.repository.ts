import { Prisma, type Tenant } from '@authsec/prisma/master';
import type { MasterDatabase } from '../../db/master-client.js';
import { AppError } from '../../errors/app-error.js';

export interface NewTenantRow {
  readonly id: string;
  readonly displayName: string;
  readonly isSystem: boolean;
  readonly sealedDatabaseUrl: Uint8Array<ArrayBuffer>;
}

export function findTenant(master: MasterDatabase, id: string): Promise<Tenant | null> {
  return master.tenant.findUnique({ where: { id } });
}

export function listTenants(master: MasterDatabase): Promise<Tenant[]> {
  return master.tenant.findMany({ orderBy: { id: 'asc' } });
}

/** AppError `conflict` for an id that was ever given to another tenant, and for a second system tenant. */
export async function insertTenant(master: MasterDatabase, row: NewTenantRow): Promise<Tenant> {
  try {
    return await master.tenant.create({ data: row });
  } catch (cause) {
    if (!(cause instanceof Prisma.PrismaClientKnownRequestError) || cause.code !== 'P2002') throw cause;
    throw new AppError('conflict', `tenant ${row.id} cannot be made: ${cause.message}`, { cause });
  }
}

export function updateTenant(master: MasterDatabase, id: string, data: Prisma.TenantUpdateInput): Promise<Tenant> {
  return master.tenant.update({ where: { id }, data });
}
