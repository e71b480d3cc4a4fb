import { Prisma } from '@authsec/prisma/tenant';

type Database = Prisma.TransactionClient;

export interface LinkedPerson {
  readonly userId: string;
  readonly status: 'active' | 'disabled';
}

export async function findLinkedPerson(
  db: Database,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
): Promise<LinkedPerson | undefined> {
  const row = await db.externalIdentity.findUnique({
    where: { issuer_subject: { issuer, subject } },
    select: { user: { select: { id: true, status: true } } },
  });
  return row ? { userId: row.user.id, status: row.user.status } : undefined;
}

/** False where this identity is somebody's already. */
export async function insertIdentity(
  db: Database,
  identity: { readonly userId: string; readonly issuer: string; readonly subject: string },
): Promise<boolean> {
  return (await db.externalIdentity.createMany({ data: [identity], skipDuplicates: true })).count > 0;
}

/** The issuers that a person is linked under. */
export async function listIssuersOf(db: Database, userId: string): Promise<string[]> {
  const rows = await db.externalIdentity.findMany({ where: { userId }, select: { issuer: true } });
  return rows.map((row) => row.issuer);
}

/** The id of a new person whose address the provider verified; undefined where the address is taken. */
export async function insertPerson(
  db: Database,
  person: { readonly email: string; readonly displayName: string | null },
): Promise<string | undefined> {
  const [row] = await db.user.createManyAndReturn({
    data: [{ ...person, emailVerified: true }],
    skipDuplicates: true,
    select: { id: true },
  });
  return row?.id;
}

export type RightKind = 'roles' | 'groups' | 'scopes' | 'resources';

const tables: Readonly<Record<RightKind, { join: Prisma.Sql; column: Prisma.Sql; catalogue: Prisma.Sql }>> = {
  roles: { join: Prisma.sql`user_roles`, column: Prisma.sql`role_id`, catalogue: Prisma.sql`roles` },
  groups: { join: Prisma.sql`group_members`, column: Prisma.sql`group_id`, catalogue: Prisma.sql`groups` },
  scopes: { join: Prisma.sql`user_scopes`, column: Prisma.sql`scope_id`, catalogue: Prisma.sql`scopes` },
  resources: { join: Prisma.sql`user_resources`, column: Prisma.sql`resource_id`, catalogue: Prisma.sql`resources` },
};

/** Gives what of these names the tenant has. */
export async function giveRights(
  db: Database,
  userId: string,
  kind: RightKind,
  names: readonly string[],
): Promise<void> {
  const { join, column, catalogue } = tables[kind];
  await db.$executeRaw`
    INSERT INTO ${join} (user_id, ${column})
    SELECT ${userId}::uuid, id FROM ${catalogue} WHERE name = ANY(${[...names]}::text[]) ON CONFLICT DO NOTHING`;
}
