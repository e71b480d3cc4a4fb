import { createTenantClient, type PrismaClient } from '@authsec/prisma/tenant';
import type { Tenant } from '@authsec/prisma/master';
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors/app-error.js';
import type { Clock } from '../ports/clock.js';
import type { Sealer } from '../ports/sealer.js';
import type { MasterDatabase } from './master-client.js';
import { openDatabaseUrl } from './tenant-database-url.js';
import { translateDatabaseError } from './translate-database-error.js';

/** One tenant's database, on a capped pool. */
export type TenantDatabase = PrismaClient;

export interface TenantClients {
  /** AppError `not_found` for an unknown tenant; `tenant_unavailable` when it is not active, down, or not its own. */
  open(tenantId: string): Promise<TenantDatabase>;
  /** Those that are open now; asking keeps none of them open. */
  opened(): readonly { readonly tenantId: string; readonly db: TenantDatabase }[];
  /** The next `open` looks at the master again. */
  forget(tenantId: string): void;
  close(): Promise<void>;
}

export type TenantClientsEvent =
  /** The database is another tenant's, or nobody's: it was served nothing. */
  | { readonly event: 'tenant_stamp_mismatch'; readonly tenantId: string; readonly stamp: string | null }
  | {
      readonly event: 'tenant_open_failed' | 'tenant_connection_lost';
      readonly tenantId: string;
      readonly err: unknown;
    }
  | { readonly event: 'master_unavailable'; readonly tenantId: string; readonly err: unknown };

export interface TenantClientsOptions {
  readonly master: MasterDatabase;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** Told of what an operator must see; for the log. */
  readonly onEvent: (event: TenantClientsEvent) => void;
  /** Told why a database was put away, while the Manager runs. */
  readonly onClosed?: (why: 'evicted' | 'idle' | 'changed') => void;
  readonly maxOpen?: number;
  readonly maxConnectionsPerTenant?: number;
  /** An open database that nobody asked for so long is closed; default 5 min. */
  readonly idleMs?: number;
  /** How long requests that hold a client may go on with it after it was put away; default 30 s. */
  readonly graceMs?: number;
  /** How old what the master said of a tenant may be; default 5 s. */
  readonly recheckMs?: number;
  /** How long an open that failed answers for those that follow; default 1 s. */
  readonly failureMs?: number;
}

interface Entry {
  readonly client: TenantDatabase;
  readonly sealedDatabaseUrl: Uint8Array;
  checkedAt: number;
}

/** Opens at the first use, once for all who wait; the least recently used is put away when there are too many. */
export function createTenantClients(options: TenantClientsOptions): TenantClients {
  const { master, sealer, clock, onEvent, maxOpen = 50, maxConnectionsPerTenant = 5 } = options;
  const { idleMs = 300_000, graceMs = 30_000, recheckMs = 5_000, failureMs = 1_000 } = options;
  const opening = new Map<string, Promise<TenantDatabase>>();
  const leaving = new Map<TenantDatabase, NodeJS.Timeout>();
  const failures = new LRUCache<string, { readonly at: number; readonly error: unknown }>({ max: 1_000 });
  const open = new LRUCache<string, Entry>({
    max: maxOpen,
    ttl: idleMs,
    ttlResolution: 0,
    updateAgeOnGet: true,
    perf: { now: () => clock.monotonic() },
    dispose: ({ client }, _tenantId, reason) => {
      if (!closed) options.onClosed?.(reason === 'evict' ? 'evicted' : reason === 'expire' ? 'idle' : 'changed');
      putAway(client);
    },
  });
  const sweep = setInterval(() => open.purgeStale(), Math.min(idleMs, 60_000));
  sweep.unref();
  let closed = false;

  function putAway(client: TenantDatabase): void {
    const timer = setTimeout(() => {
      leaving.delete(client);
      client.$disconnect().catch(() => {});
    }, graceMs);
    timer.unref();
    leaving.set(client, timer);
  }

  async function look(tenantId: string): Promise<TenantDatabase> {
    const entry = open.get(tenantId);
    let row: Tenant | null;
    try {
      row = await master.tenant.findUnique({ where: { id: tenantId } });
    } catch (error) {
      onEvent({ event: 'master_unavailable', tenantId, err: error });
      if (!entry) throw translateDatabaseError(error);
      entry.checkedAt = clock.monotonic();
      return entry.client;
    }
    if (row?.status !== 'active') open.delete(tenantId);
    if (!row) throw new AppError('not_found', `there is no tenant ${tenantId}`);
    if (row.status !== 'active') throw new AppError('tenant_unavailable', `tenant ${tenantId} is ${row.status}`);
    if (entry && Buffer.compare(entry.sealedDatabaseUrl, row.sealedDatabaseUrl) === 0) {
      entry.checkedAt = clock.monotonic();
      return entry.client;
    }
    open.delete(tenantId);
    const client = await connect(row);
    if (closed) await client.$disconnect();
    else open.set(tenantId, { client, sealedDatabaseUrl: row.sealedDatabaseUrl, checkedAt: clock.monotonic() });
    return client;
  }

  async function connect(row: Tenant): Promise<TenantDatabase> {
    const tenantId = row.id;
    let client: TenantDatabase | undefined;
    try {
      client = createTenantClient({
        url: openDatabaseUrl(sealer, tenantId, row.sealedDatabaseUrl).reveal(),
        maxConnections: maxConnectionsPerTenant,
        onError: (err) => onEvent({ event: 'tenant_connection_lost', tenantId, err }),
      });
      const stamp = await client.stamp.findFirst();
      if (stamp?.tenantId === tenantId) return client;
      onEvent({ event: 'tenant_stamp_mismatch', tenantId, stamp: stamp?.tenantId ?? null });
      throw new AppError('tenant_unavailable', `the database of tenant ${tenantId} is not its own`);
    } catch (error) {
      client?.$disconnect().catch(() => {});
      if (error instanceof AppError && error.code === 'tenant_unavailable') throw error;
      onEvent({ event: 'tenant_open_failed', tenantId, err: error });
      throw new AppError('tenant_unavailable', `the database of tenant ${tenantId} does not open`, { cause: error });
    }
  }

  return {
    async open(tenantId) {
      const entry = open.get(tenantId);
      if (entry && clock.monotonic() - entry.checkedAt < recheckMs) return entry.client;
      const failure = failures.get(tenantId);
      if (failure && clock.monotonic() - failure.at < failureMs) throw failure.error;
      if (closed) throw new AppError('tenant_unavailable', 'the Manager is stopping');
      let pending = opening.get(tenantId);
      if (!pending) {
        pending = look(tenantId);
        opening.set(tenantId, pending);
        pending
          .catch((error: unknown) => failures.set(tenantId, { at: clock.monotonic(), error }))
          .finally(() => opening.delete(tenantId));
      }
      return pending;
    },
    opened: () => [...open.entries()].map(([tenantId, { client: db }]) => ({ tenantId, db })),
    forget(tenantId) {
      failures.delete(tenantId);
      const entry = open.get(tenantId);
      if (entry) entry.checkedAt = Number.NEGATIVE_INFINITY;
    },
    async close() {
      closed = true;
      clearInterval(sweep);
      await Promise.allSettled(opening.values());
      open.clear();
      const clients = [...leaving.keys()];
      leaving.forEach((timer) => clearTimeout(timer));
      leaving.clear();
      await Promise.allSettled(clients.map((client) => client.$disconnect()));
    },
  };
}
