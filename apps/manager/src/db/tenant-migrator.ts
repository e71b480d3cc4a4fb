import { applyMigrations, latestSchemaVersion } from '@authsec/prisma/migrate';
import type { Sealer } from '../ports/sealer.js';
import type { MasterDatabase } from './master-client.js';
import { openDatabaseUrl } from './tenant-database-url.js';

export interface TenantMigration {
  readonly tenantId: string;
  readonly applied: readonly string[];
  /** Why this tenant could not be migrated; the others were. */
  readonly error?: unknown;
}

export interface TenantMigratorOptions {
  readonly master: MasterDatabase;
  readonly sealer: Sealer;
  /** How many at a time; default 4. */
  readonly concurrency?: number;
  readonly onMigrated?: (migration: TenantMigration) => void;
}

/**
 * Brings the database of every provisioned tenant that is behind up to date; one that fails stops no other. The report
 * has those that were behind, in order of their ids.
 */
export async function migrateTenants(options: TenantMigratorOptions): Promise<readonly TenantMigration[]> {
  const { master, sealer, concurrency = 4, onMigrated } = options;
  const tenants = await master.tenant.findMany({
    where: {
      status: { not: 'provisioning' },
      OR: [{ schemaVersion: null }, { schemaVersion: { not: await latestSchemaVersion('tenant') } }],
    },
    orderBy: { id: 'asc' },
    select: { id: true, sealedDatabaseUrl: true },
  });
  const report: TenantMigration[] = [];
  const queue = tenants.entries();

  async function work(): Promise<void> {
    for (const [index, tenant] of queue) {
      const migration = await migrate(tenant);
      report[index] = migration;
      onMigrated?.(migration);
    }
  }

  async function migrate({ id, sealedDatabaseUrl }: (typeof tenants)[number]) {
    try {
      const url = openDatabaseUrl(sealer, id, sealedDatabaseUrl).reveal();
      const { applied, schemaVersion } = await applyMigrations({ url, kind: 'tenant', stamp: id });
      await master.tenant.update({ where: { id }, data: { schemaVersion } });
      return { tenantId: id, applied };
    } catch (error) {
      return { tenantId: id, applied: [], error };
    }
  }

  await Promise.all(Array.from({ length: concurrency }, work));
  return report;
}
