import { randomUUID } from 'node:crypto';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import { adminPermission, adminRole, builtInPermissions } from './built-in-catalogue.js';

/** Refuses a database that bears another tenant's stamp; one without a stamp is new. */
export async function assertOwnDatabase(db: TenantDatabase, tenantId: string): Promise<void> {
  const stamp = await db.stamp.findFirst();
  if (!stamp || stamp.tenantId === tenantId) return;
  throw new AppError('conflict', `the database for tenant ${tenantId} is that of ${stamp.tenantId}`);
}

/** What was there stays as it is: a role or description that the tenant changed is not put back. */
export async function seedCatalogue(db: TenantDatabase, isSystem: boolean): Promise<void> {
  await db.$transaction(async (tx) => {
    const names = builtInPermissions(isSystem);
    await tx.permission.createMany({ data: names.map((name) => ({ name })), skipDuplicates: true });
    if (await tx.role.findUnique({ where: { name: adminRole.name } })) return;
    const role = await tx.role.create({ data: { id: randomUUID(), ...adminRole } });
    const { id } = await tx.permission.findUniqueOrThrow({ where: { name: adminPermission } });
    await tx.rolePermission.create({ data: { roleId: role.id, permissionId: id } });
  });
}

/** One statement for two that come at once: the table has one row. */
export async function stampDatabase(db: TenantDatabase, tenantId: string): Promise<void> {
  await db.$executeRaw`INSERT INTO stamp (id, tenant_id) VALUES (1, ${tenantId}) ON CONFLICT DO NOTHING`;
  await assertOwnDatabase(db, tenantId);
}
