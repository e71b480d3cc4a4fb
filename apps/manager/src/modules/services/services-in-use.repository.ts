import type { Prisma } from '@authsec/prisma/tenant';

type Database = Pick<Prisma.TransactionClient, 'serviceConfiguration' | '$executeRaw'>;

/** Not more often than a person looks, so that calls at the same moment do not queue for the row. */
export async function noteServiceUse(db: Database, id: string): Promise<void> {
  await db.$executeRaw`
    UPDATE service_configurations SET last_used_at = now()
     WHERE id = ${id}::uuid AND (last_used_at IS NULL OR last_used_at < now() - interval '10 seconds')`;
}

/** Its version is gone from the store; a rotation since has another one. */
export async function forgetPreviousSecret(db: Database, id: string, version: number): Promise<void> {
  await db.$executeRaw`
    UPDATE service_configurations SET previous_secret_version = NULL, previous_secret_until = NULL
     WHERE id = ${id}::uuid AND previous_secret_version = ${version} AND previous_secret_until <= now()`;
}

export async function noteServiceCheck(db: Database, id: string, at: Date, outcome: string): Promise<void> {
  await db.$executeRaw`
    UPDATE service_configurations SET last_check_at = ${at}, last_check_outcome = ${outcome} WHERE id = ${id}::uuid`;
}
