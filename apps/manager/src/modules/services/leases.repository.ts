import type { Prisma, ServiceLease } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';

type Database = Pick<Prisma.TransactionClient, 'serviceLease'>;

export type Lease = Readonly<ServiceLease>;

export async function insertLease(
  db: Database,
  lease: Omit<Lease, 'createdAt' | 'endedAt' | 'sealedLeaseId'> & { readonly sealedLeaseId: Uint8Array },
): Promise<void> {
  await db.serviceLease.create({ data: { ...lease, sealedLeaseId: Buffer.from(lease.sealedLeaseId) } });
}

/** Of this application only, and of this session where one is said. */
export function findLease(
  db: Database,
  key: { readonly id: string; readonly applicationId: string; readonly sid?: string | undefined },
): Promise<Lease | null> {
  const { id, applicationId, sid } = key;
  return db.serviceLease.findFirst({ where: { id, applicationId, ...(sid !== undefined && { sid }) } });
}

/** False where it is over by now, or has been given up. */
export async function prolongLease(db: Database, id: string, expiresAt: Date): Promise<boolean> {
  const where = { id, endedAt: null, expiresAt: { gt: new Date() } };
  const { count } = await db.serviceLease.updateMany({ where, data: { expiresAt } });
  return count === 1;
}

export async function markLeaseEnded(db: Database, id: string): Promise<void> {
  await db.serviceLease.updateMany({ where: { id, endedAt: null }, data: { endedAt: new Date() } });
}

/** So that it is among those that are over. */
export async function letLeaseExpire(db: Database, id: string): Promise<void> {
  await db.serviceLease.updateMany({ where: { id, endedAt: null }, data: { expiresAt: new Date() } });
}

/** That have not ended though their time, or the session that they were given in, has; any of them, so that none that cannot be ended stands before the others for good. */
export function findOverdueLeases(db: TenantDatabase, limit: number): Promise<Lease[]> {
  return db.$queryRaw<Lease[]>`
    SELECT l.id, l.service_id AS "serviceId", l.sid, l.user_id AS "userId", l.application_id AS "applicationId",
           l.sealed_lease_id AS "sealedLeaseId", l.created_at AS "createdAt", l.expires_at AS "expiresAt",
           l.ended_at AS "endedAt"
      FROM service_leases l LEFT JOIN sessions s ON s.id = l.sid
     WHERE l.ended_at IS NULL AND (l.expires_at <= now() OR s.id IS NULL OR s.ended_at IS NOT NULL)
     ORDER BY random() LIMIT ${limit}`;
}
