import { Prisma, type ServiceConnection as Row } from '@authsec/prisma/tenant';

type Database = Pick<Prisma.TransactionClient, 'serviceConnection' | '$queryRaw' | '$executeRaw'>;

export type Connection = Readonly<Row>;

export interface ConnectionTokens {
  readonly scope: string | null;
  /** Of the person's secret in the store. */
  readonly secretVersion: number;
  /** Of the access token. */
  readonly expiresAt: Date | null;
}

export async function findConnection(db: Database, serviceId: string, userId: string): Promise<Connection | undefined> {
  return (await db.serviceConnection.findUnique({ where: { serviceId_userId: { serviceId, userId } } })) ?? undefined;
}

export function listConnections(db: Database, serviceId: string): Promise<Connection[]> {
  return db.serviceConnection.findMany({ where: { serviceId }, orderBy: { userId: 'asc' }, take: 10_000 });
}

/** Connected now, whatever was before; who refreshes the tokens from before has nothing to refresh any more. */
export async function connect(
  db: Database,
  { serviceId, userId }: { readonly serviceId: string; readonly userId: string },
  tokens: ConnectionTokens,
): Promise<Connection> {
  const state = { ...tokens, status: 'connected', refreshingUntil: null, connectedAt: new Date() } as const;
  const where = { serviceId_userId: { serviceId, userId } };
  return db.serviceConnection.upsert({ where, create: { serviceId, userId, ...state }, update: state });
}

/**
 * One statement, by the clock of the database: of any number at the same moment exactly one gets it, and it runs out
 * when whoever got it is gone. What it gives tells the claim from later ones.
 */
export async function claimRefresh(db: Database, id: string, seconds: number): Promise<Date | undefined> {
  const rows = await db.$queryRaw<{ until: Date }[]>`
    UPDATE service_connections SET refreshing_until = date_trunc('milliseconds', now()) + make_interval(secs => ${seconds}::float8)
     WHERE id = ${id}::uuid AND status = 'connected' AND (refreshing_until IS NULL OR refreshing_until < now())
    RETURNING refreshing_until AS until`;
  return rows[0]?.until;
}

/** Ends a claim with what came of it; false where it ran out, or the connection was made anew or ended. */
export async function settleRefresh(
  db: Database,
  { id, claim }: { readonly id: string; readonly claim: Date },
  change: Partial<ConnectionTokens> & { readonly status?: Connection['status'] },
): Promise<boolean> {
  const where = { id, refreshingUntil: claim };
  return (await db.serviceConnection.updateMany({ where, data: { ...change, refreshingUntil: null } })).count > 0;
}

/** False where it is gone, or was made anew meanwhile. */
export async function deleteConnection(
  db: Database,
  { id, connectedAt }: Pick<Connection, 'id' | 'connectedAt'>,
): Promise<boolean> {
  return (await db.serviceConnection.deleteMany({ where: { id, connectedAt } })).count > 0;
}

/** Not more often than a person looks. */
export async function noteConnectionUse(db: Database, id: string): Promise<void> {
  await db.$executeRaw`
    UPDATE service_connections SET last_used_at = now()
     WHERE id = ${id}::uuid AND (last_used_at IS NULL OR last_used_at < now() - interval '10 seconds')`;
}
