import type { TenantDatabase } from '../../db/tenant-clients.js';

export interface PasswordAccount {
  readonly userId: string;
  readonly status: 'active' | 'disabled';
  /** Null where the person signs in in another way only. */
  readonly passwordHash: string | null;
}

/** `email` in lower case. One statement: a second one, only where there is an account, would tell by its time that there is. */
export async function findPasswordAccount(db: TenantDatabase, email: string): Promise<PasswordAccount | undefined> {
  const [account] = await db.$queryRaw<PasswordAccount[]>`
    SELECT u.id::text AS "userId", u.status::text AS status, p.password_hash AS "passwordHash"
      FROM users u LEFT JOIN password_credentials p ON p.user_id = u.id
     WHERE u.email = ${email}`;
  return account;
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
