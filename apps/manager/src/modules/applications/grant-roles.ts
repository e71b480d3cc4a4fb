import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';

/** AppError 'not_found' where the tenant does not have one of them. */
export async function findRoleIds(db: TenantDatabase, roles: readonly string[]): Promise<string[]> {
  const names = [...new Set(roles)];
  const found = await db.role.findMany({ where: { name: { in: names } }, select: { id: true } });
  if (found.length !== names.length) throw new AppError('not_found', `not all of these are roles: ${names.join(', ')}`);
  return found.map(({ id }) => id);
}

/** Roles that a machine holds when it acts for itself. */
export async function grantRoles(
  db: TenantDatabase,
  { applicationId, roleIds }: { readonly applicationId: string; readonly roleIds: readonly string[] },
): Promise<void> {
  const data = roleIds.map((roleId) => ({ applicationId, roleId }));
  await db.applicationRole.createMany({ data, skipDuplicates: true });
}
