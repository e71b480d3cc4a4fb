import type { AssignmentKind } from '@authsec/manager-client/contract';
import { Prisma } from '@authsec/prisma/tenant';
import type { Transaction } from './users.repository.js';

export interface AssignmentRow {
  readonly name: string;
  readonly expiresAt: Date | null;
}

export interface AssignmentKey {
  readonly userId: string;
  readonly kind: AssignmentKind;
  readonly name: string;
}

interface Tables {
  readonly join: Prisma.Sql;
  readonly column: Prisma.Sql;
  readonly catalogue: Prisma.Sql;
}

const tables: Readonly<Record<AssignmentKind, Tables>> = {
  roles: { join: Prisma.sql`user_roles`, column: Prisma.sql`role_id`, catalogue: Prisma.sql`roles` },
  groups: { join: Prisma.sql`group_members`, column: Prisma.sql`group_id`, catalogue: Prisma.sql`groups` },
  scopes: { join: Prisma.sql`user_scopes`, column: Prisma.sql`scope_id`, catalogue: Prisma.sql`scopes` },
  resources: { join: Prisma.sql`user_resources`, column: Prisma.sql`resource_id`, catalogue: Prisma.sql`resources` },
};

/** What was given directly, by name; expired rows too. */
export function listAssignments(db: Transaction, userId: string, kind: AssignmentKind): Promise<AssignmentRow[]> {
  const { join, column, catalogue } = tables[kind];
  return db.$queryRaw<AssignmentRow[]>`
    SELECT c.name, j.expires_at AS "expiresAt" FROM ${join} j JOIN ${catalogue} c ON c.id = j.${column}
     WHERE j.user_id = ${userId}::uuid ORDER BY c.name`;
}

/** False where the tenant has no such name. Holds the lock of the policy version until the transaction ends. */
export async function putAssignment(db: Transaction, key: AssignmentKey, expiresAt: Date | null): Promise<boolean> {
  const { join, column, catalogue } = tables[key.kind];
  const count = await db.$executeRaw`
    INSERT INTO ${join} (user_id, ${column}, expires_at)
    SELECT ${key.userId}::uuid, id, ${expiresAt}::timestamptz FROM ${catalogue} WHERE name = ${key.name}
        ON CONFLICT (user_id, ${column}) DO UPDATE SET expires_at = EXCLUDED.expires_at`;
  return count > 0;
}

/** False where the tenant has no such name; true also where it was not given. */
export async function deleteAssignment(db: Transaction, key: AssignmentKey): Promise<boolean> {
  const { join, column, catalogue } = tables[key.kind];
  await db.$executeRaw`
    DELETE FROM ${join} WHERE user_id = ${key.userId}::uuid
       AND ${column} IN (SELECT id FROM ${catalogue} WHERE name = ${key.name})`;
  const found = await db.$queryRaw<unknown[]>`SELECT 1 FROM ${catalogue} WHERE name = ${key.name}`;
  return found.length > 0;
}

/** The permissions on AuthSec itself that whoever is given this gets with it. */
export async function authsecPermissionsOf(db: Transaction, key: Omit<AssignmentKey, 'userId'>): Promise<string[]> {
  if (key.kind !== 'roles' && key.kind !== 'groups') return [];
  const roles =
    key.kind === 'roles'
      ? Prisma.sql`SELECT id FROM roles WHERE name = ${key.name}`
      : Prisma.sql`SELECT gr.role_id FROM group_roles gr JOIN groups g ON g.id = gr.group_id WHERE g.name = ${key.name}`;
  const rows = await db.$queryRaw<{ name: string }[]>`
    SELECT DISTINCT p.name FROM permissions p JOIN role_permissions rp ON rp.permission_id = p.id
     WHERE rp.role_id IN (${roles}) AND starts_with(p.name, 'authsec:') ORDER BY p.name`;
  return rows.map((row) => row.name);
}
