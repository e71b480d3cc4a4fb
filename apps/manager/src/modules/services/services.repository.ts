import { serviceSettingsSchema } from '@authsec/manager-client/contract';
import { Prisma, type ServiceConfiguration as Row } from '@authsec/prisma/tenant';
import type { Service } from './service.js';

type Database = Prisma.TransactionClient;

export type NewService = Omit<
  Service,
  | 'previousSecretVersion'
  | 'previousSecretUntil'
  | 'lastUsedAt'
  | 'lastCheckAt'
  | 'lastCheckOutcome'
  | 'createdAt'
  | 'updatedAt'
>;

export type ServiceChange = Partial<Omit<Service, 'id' | 'name' | 'kind' | 'createdAt' | 'updatedAt'>>;

export async function listServices(db: Database): Promise<Service[]> {
  return (await db.serviceConfiguration.findMany({ orderBy: { name: 'asc' } })).map(toService);
}

export async function findService(db: Database, id: string): Promise<Service | undefined> {
  const row = await db.serviceConfiguration.findUnique({ where: { id } });
  return row ? toService(row) : undefined;
}

export async function findServiceByName(db: Database, name: string): Promise<Service | undefined> {
  const row = await db.serviceConfiguration.findUnique({ where: { name } });
  return row ? toService(row) : undefined;
}

/** 'taken' where another service has the name, 'no_owner' where there is no such person. */
export async function insertService(db: Database, service: NewService): Promise<Service | 'taken' | 'no_owner'> {
  return refused(async () => toService(await db.serviceConfiguration.create({ data: toData(service) })));
}

/** Only while the secret in use is still the one that the change was judged by; undefined where it is not, or is gone. */
export async function updateService(
  db: Database,
  id: string,
  { secretVersion, change }: { readonly secretVersion: number; readonly change: ServiceChange },
): Promise<Service | 'taken' | 'no_owner' | undefined> {
  return refused(async () => {
    const where = { id, secretVersion };
    const [row] = await db.serviceConfiguration.updateManyAndReturn({ where, data: toData(change) });
    return row && toService(row);
  });
}

export async function deleteService(db: Database, id: string): Promise<boolean> {
  return (await db.serviceConfiguration.deleteMany({ where: { id } })).count > 0;
}

/** Marks what was handed out as over; the store has ended it. */
export async function endLeasesOfService(db: Database, serviceId: string): Promise<void> {
  await db.serviceLease.updateMany({ where: { serviceId, endedAt: null }, data: { endedAt: new Date() } });
}

/** Links on which somebody is under way to what the service was before. */
export async function deleteConnectAttempts(db: Database, serviceId: string): Promise<void> {
  await db.serviceConnectAttempt.deleteMany({ where: { serviceId } });
}

/** The people who have connected their own account. */
export async function listConnectedUsers(db: Database, serviceId: string): Promise<string[]> {
  const rows = await db.serviceConnection.findMany({ where: { serviceId }, select: { userId: true } });
  return rows.map(({ userId }) => userId);
}

export async function deleteConnections(db: Database, serviceId: string, userIds?: readonly string[]): Promise<void> {
  const where = { serviceId, ...(userIds && { userId: { in: [...userIds] } }) };
  await db.serviceConnection.deleteMany({ where });
}

async function refused<T>(write: () => Promise<T>): Promise<T | 'taken' | 'no_owner'> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return 'taken';
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2003') return 'no_owner';
    throw error;
  }
}

function toData<T extends { readonly applications?: readonly string[] }>({ applications, ...rest }: T) {
  return { ...rest, ...(applications && { applications: [...applications] }) };
}

function toService({ kind: _kind, settings: stored, requirement, ...row }: Row): Service {
  const settings = serviceSettingsSchema.parse(stored);
  return { ...row, kind: settings.kind, settings, requirement: requirement as Prisma.InputJsonObject };
}
