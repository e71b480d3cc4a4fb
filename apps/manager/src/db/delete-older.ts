import { Prisma } from '@authsec/prisma/tenant';

const batch = 5_000;

/** A batch of the rows whose time was over `age` ago (an interval of PostgreSQL). `table` and `column` are code, never input. */
export async function deleteOlder(
  db: Pick<Prisma.TransactionClient, '$executeRaw'>,
  { table, column = 'expires_at', age }: { readonly table: string; readonly column?: string; readonly age: string },
): Promise<void> {
  const [from, time] = [Prisma.raw(table), Prisma.raw(column)];
  await db.$executeRaw`
    DELETE FROM ${from} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${from} WHERE ${time} < now() - ${age}::interval LIMIT ${batch}))`;
}
