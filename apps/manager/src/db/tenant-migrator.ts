import { applyMigrations, latestSchemaVersion } from '@authsec/prisma/migrate';
import type { Sealer } from '../ports/sealer.js';
import type { MasterDatabase } from './master-client.js';
import { openDatabaseUrl } from './tenant-database-url.js';

export interface TenantMigration {
  readonly tenantId: string;
  /** Counts from 1, in the order in which they end. */
  readonly position: number;
  /** How many there are in all. */
  readonly total: number;
  readonly applied: readonly string[];
  /** Why this tenant could not be migrated; the others were. */
  readonly error?: unknown;
}

export interface TenantMigratorOptions {
  readonly master: MasterDatabase;
  readonly sealer: Sealer;
  /** How many at a time; default 4. */
  readonly concurrency?: number;
  /** So many come first, one after the other; where one of them fails, the rest is left as it is. Default 0. */
  readonly canaries?: number;
  /** Looks into every database; default: only into those of which the master says that they are behind. */
  readonly all?: boolean;
  /** Once it aborts no other is begun; those that were come to their end. */
  readonly signal?: AbortSignal;
  readonly onMigrated?: (migration: TenantMigration) => void;
  /** Somebody else migrates this tenant, and is waited for. */
  readonly onWait?: (tenantId: string) => void;
}

/**
 * Brings the database of every provisioned tenant that is behind up to date; one that fails stops no other, but for a
 * canary. The report has those that were tried, in order of their ids.
 */
export async function migrateTenants(options: TenantMigratorOptions): Promise<readonly TenantMigration[]> {
  const { master, sealer, concurrency = 4, canaries = 0, all = false, signal, onMigrated, onWait } = options;
  const tenants = await master.tenant.findMany({
    where: {
      status: { not: 'provisioning' },
      ...(!all && { OR: [{ schemaVersion: null }, { schemaVersion: { not: await latestSchemaVersion('tenant') } }] }),
    },
    orderBy: { id: 'asc' },
    select: { id: true, sealedDatabaseUrl: true },
  });
  const report: TenantMigration[] = [];
  const queue = tenants.entries();
  let ended = 0;

  async function work(upTo = tenants.length): Promise<void> {
    while (ended < upTo) {
      if (signal?.aborted) return;
      const next = queue.next();
      if (next.done) return;
      const [index, tenant] = next.value;
      const migration = await migrate(tenant);
      report[index] = { ...migration, position: ++ended, total: tenants.length };
      onMigrated?.(report[index]);
    }
  }

  async function migrate({ id, sealedDatabaseUrl }: (typeof tenants)[number]) {
    try {
      const url = openDatabaseUrl(sealer, id, sealedDatabaseUrl).reveal();
      const { applied, schemaVersion } = await applyMigrations({
        url,
        kind: 'tenant',
        stamp: id,
        onWait: () => onWait?.(id),
      });
      await master.tenant.update({ where: { id }, data: { schemaVersion } });
      return { tenantId: id, applied };
    } catch (error) {
      return { tenantId: id, applied: [], error };
    }
  }

  await work(Math.min(canaries, tenants.length));
  if (report.some(({ error }) => error !== undefined)) return report;
  await Promise.all(Array.from({ length: concurrency }, () => work()));
  return report;
}
