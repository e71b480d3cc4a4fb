import { createMasterClient, type PrismaClient } from '@authsec/prisma/master';
import { applyMigrations, type MigrateResult, readMigrationStatus } from '@authsec/prisma/migrate';
import type { Secret } from '../config/secret.js';

/** The operator's database: tenants and rate limits, nothing that is a tenant's own. */
export type MasterDatabase = PrismaClient;

export interface MasterDatabaseOptions {
  readonly databaseUrl: Secret;
  readonly maxConnections?: number;
  readonly onError?: (error: Error) => void;
}

/** Every statement on it is small: one that takes 2 s is given up, so that a hanging master holds nobody long. */
export function createMasterDatabase({ databaseUrl, ...options }: MasterDatabaseOptions): MasterDatabase {
  return createMasterClient({ url: databaseUrl.reveal(), statementTimeoutMs: 2_000, ...options });
}

/** Makes the master database where it is missing and brings it up to date; safe at every start of every replica. */
export function migrateMaster(databaseUrl: Secret, onWait?: () => void): Promise<MigrateResult> {
  return applyMigrations({ url: databaseUrl.reveal(), kind: 'master', createDatabase: true, onWait });
}

/** The migrations that the master database does not have yet. */
export async function pendingMasterMigrations(databaseUrl: Secret): Promise<readonly string[]> {
  return (await readMigrationStatus({ url: databaseUrl.reveal(), kind: 'master' })).pending;
}
