import { serviceSettingsSchema } from '@authsec/manager-client/contract';
import type { Prisma, ServiceConnectAttempt } from '@authsec/prisma/tenant';
import type { OpenLink } from './connect-attempt.js';

type Database = Pick<Prisma.TransactionClient, 'serviceConnectAttempt' | 'user' | '$executeRaw'>;

export type NewConnectAttempt = Pick<
  ServiceConnectAttempt,
  'linkHash' | 'serviceId' | 'userId' | 'sid' | 'applicationId' | 'expiresAt'
>;

export async function insertConnectAttempt(db: Database, attempt: NewConnectAttempt): Promise<void> {
  await db.serviceConnectAttempt.create({ data: attempt, select: { id: true } });
}

/** Of a person only the newest stay. */
export async function trimConnectAttempts(db: Database, userId: string, keep: number): Promise<void> {
  await db.$executeRaw`
    DELETE FROM service_connect_attempts WHERE user_id = ${userId}::uuid AND id NOT IN (
      SELECT id FROM service_connect_attempts WHERE user_id = ${userId}::uuid ORDER BY created_at DESC LIMIT ${keep})`;
}

/** Changes nothing; undefined for one that is unknown, expired or used, and where service or application are disabled. */
export async function findOpenLink(db: Database, linkHash: string, at: Date): Promise<OpenLink | undefined> {
  const row = await db.serviceConnectAttempt.findFirst({
    where: {
      linkHash,
      stateHash: null,
      expiresAt: { gt: at },
      service: { enabled: true },
      application: { status: 'active' },
    },
    select: {
      id: true,
      userId: true,
      sid: true,
      createdAt: true,
      service: { select: { name: true, description: true, settings: true, rawCredential: true } },
      application: { select: { id: true, clientId: true, name: true, resourceUrl: true } },
    },
  });
  if (!row) return undefined;
  return { ...row, service: { ...row.service, settings: serviceSettingsSchema.parse(row.service.settings) } };
}

/** Uses the link up: of any number at the same moment exactly one goes on. */
export async function takeLink(
  db: Database,
  id: string,
  step: { readonly stateHash: string; readonly sealedVerifier: Uint8Array; readonly expiresAt: Date },
  at: Date,
): Promise<boolean> {
  const { count } = await db.serviceConnectAttempt.updateMany({
    where: { id, stateHash: null, expiresAt: { gt: at } },
    data: { ...step, sealedVerifier: Buffer.from(step.sealedVerifier) },
  });
  return count > 0;
}

export type ReturnedAttempt = Readonly<ServiceConnectAttempt>;

/** Who came back, once, and only for this service. */
export async function takeReturn(
  db: Database,
  key: { readonly stateHash: string; readonly serviceId: string },
  at: Date,
): Promise<ReturnedAttempt | undefined> {
  const [row] = await db.serviceConnectAttempt.updateManyAndReturn({
    where: { ...key, usedAt: null, expiresAt: { gt: at } },
    data: { usedAt: at },
  });
  return row;
}

export async function findEmailOf(db: Database, userId: string): Promise<string | undefined> {
  return (await db.user.findUnique({ where: { id: userId }, select: { email: true } }))?.email;
}
