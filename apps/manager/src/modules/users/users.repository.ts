import type { Prisma, User, UserStatus } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';

export type Transaction = Prisma.TransactionClient;

export function listUsers(
  db: TenantDatabase,
  { email, after, limit }: { email: string | undefined; after: string | undefined; limit: number },
): Promise<User[]> {
  return db.user.findMany({
    where: { ...(email !== undefined && { email }), ...(after !== undefined && { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: limit,
  });
}

export function findUser(db: Transaction, id: string): Promise<User | null> {
  return db.user.findUnique({ where: { id } });
}

/** Undefined where the address is taken. */
export async function insertUser(
  db: Transaction,
  user: { readonly email: string; readonly displayName: string | null; readonly passwordHash: string | undefined },
): Promise<User | undefined> {
  const { email, displayName, passwordHash } = user;
  const [row] = await db.user.createManyAndReturn({ data: [{ email, displayName }], skipDuplicates: true });
  if (row && passwordHash !== undefined) {
    await db.passwordCredential.create({ data: { userId: row.id, passwordHash } });
  }
  return row;
}

/** Undefined where there is no such person. */
export async function updateUser(
  db: Transaction,
  id: string,
  change: { readonly displayName?: string | null; readonly status?: UserStatus },
): Promise<User | undefined> {
  const [row] = await db.user.updateManyAndReturn({ where: { id }, data: change });
  return row;
}
