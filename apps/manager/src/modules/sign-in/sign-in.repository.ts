import type { TenantDatabase } from '../../db/tenant-clients.js';

export interface PasswordAccount {
  readonly userId: string;
  readonly status: 'active' | 'disabled';
  /** Null where the person signs in in another way only. */
  readonly passwordHash: string | null;
}

/** `email` in lower case. */
export async function findPasswordAccount(db: TenantDatabase, email: string): Promise<PasswordAccount | undefined> {
  const user = await db.user.findUnique({ where: { email }, include: { password: true } });
  return user ? { userId: user.id, status: user.status, passwordHash: user.password?.passwordHash ?? null } : undefined;
}

export async function findEmail(db: TenantDatabase, userId: string): Promise<string | undefined> {
  return (await db.user.findUnique({ where: { id: userId }, select: { email: true } }))?.email;
}

/** In the order of the names asked for; one that is not in the table has no description. */
export async function describeScopes(
  db: TenantDatabase,
  names: readonly string[],
): Promise<{ name: string; description: string }[]> {
  if (names.length === 0) return [];
  const rows = await db.scope.findMany({ where: { name: { in: [...names] } } });
  const descriptions = new Map(rows.map((row) => [row.name, row.description]));
  return names.map((name) => ({ name, description: descriptions.get(name) ?? '' }));
}
