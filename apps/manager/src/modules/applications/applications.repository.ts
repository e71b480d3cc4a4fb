import type { Application, Prisma } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';

export function insertApplication(db: TenantDatabase, data: Prisma.ApplicationCreateInput): Promise<Application> {
  return db.application.create({ data });
}

/** Also a disabled one. */
export function findByClientId(db: TenantDatabase, clientId: string): Promise<Application | null> {
  return db.application.findUnique({ where: { clientId } });
}

/** A disabled application is not found. */
export async function findActiveByClientId(db: TenantDatabase, clientId: string): Promise<Application | undefined> {
  const application = await findByClientId(db, clientId);
  return application?.status === 'active' ? application : undefined;
}

/** Those of the client ids that are there, of disabled applications too. */
export async function listKnownClientIds(db: TenantDatabase, clientIds: readonly string[]): Promise<string[]> {
  const where = { clientId: { in: [...clientIds] } };
  return (await db.application.findMany({ where, select: { clientId: true } })).map(({ clientId }) => clientId);
}
