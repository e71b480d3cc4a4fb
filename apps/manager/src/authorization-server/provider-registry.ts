import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { issuerOf } from '../authorization/issuer.js';
import type { VerifyAccessToken } from '../authorization/verify-access-token.js';
import type { TenantClients, TenantDatabase } from '../db/tenant-clients.js';
import { AppError } from '../errors/app-error.js';
import type { SessionsService } from '../modules/sessions/sessions.service.js';
import { isTenantId } from '../modules/tenants/tenant.js';
import type { Clock } from '../ports/clock.js';
import type { RateLimit } from '../ports/rate-limits.js';
import type { LoadPrivateKeys } from '../ports/signing-keys.js';
import { purgeExpired } from './purge-expired.js';
import { createTenantProvider, type TenantProvider } from './tenant-provider.js';

export interface ProviderRegistryOptions {
  readonly baseUrl: string;
  readonly cookieKeys: readonly string[];
  readonly tenants: Pick<TenantClients, 'open'>;
  readonly loadPrivateKeys: LoadPrivateKeys;
  readonly verifyAccessToken: VerifyAccessToken;
  readonly sessions: SessionsService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pushesPerNetwork: RateLimit;
  readonly historyDays?: number | undefined;
  /** What pages call the tenant. */
  readonly tenantName: (tenantId: string) => Promise<string>;
}

export interface ProviderRegistry {
  /**
   * AppError `not_found` for an unknown tenant, `tenant_unavailable` for one that cannot be served. With `fresh` its keys
   * are those of this moment.
   */
  find(tenantId: string, options?: { readonly fresh?: boolean }): Promise<TenantProvider>;
}

interface Entry {
  readonly served: Promise<TenantProvider>;
  readonly keyIds: Promise<string>;
  checkedAt: number;
  purgedAt: number;
}

const maxProviders = 500;
const idleMs = 10 * 60_000;
const keysRecheckMs = 10_000;
const purgeMs = 60_000;

/** A provider a tenant, made at the first use, dropped when idle, made anew when the tenant's keys change. */
export function createProviderRegistry(options: ProviderRegistryOptions): ProviderRegistry {
  const { baseUrl, cookieKeys, tenants, sessions, clock, logger, loadPrivateKeys, tenantName } = options;
  const entries = new LRUCache<string, Entry>({ max: maxProviders, ttl: idleMs, updateAgeOnGet: true });

  async function build(tenantId: string, db: TenantDatabase): Promise<TenantProvider> {
    const keys = await loadPrivateKeys(tenantId, db);
    const signing = keys[0];
    if (!signing?.kid || !signing.alg)
      throw new AppError('tenant_unavailable', `tenant ${tenantId} has no signing key`);
    const issuer = issuerOf(baseUrl, tenantId);
    return createTenantProvider({
      context: {
        tenantId,
        issuer,
        signing: { kid: signing.kid, alg: signing.alg },
        db: () => tenants.open(tenantId),
        sessions,
        clock,
        logger,
      },
      site: { issuer, tenantName: await tenantName(tenantId) },
      keys,
      cookieKeys,
      verifyAccessToken: options.verifyAccessToken,
      pushesPerNetwork: options.pushesPerNetwork,
    });
  }

  function enter(tenantId: string, db: TenantDatabase, keyIds: Promise<string>, purgedAt: number): Entry {
    const entry: Entry = {
      // Keys that change in between make a provider newer than its key ids, which the next look finds.
      served: keyIds.then(() => build(tenantId, db)),
      keyIds,
      checkedAt: clock.monotonic(),
      purgedAt,
    };
    entries.set(tenantId, entry);
    Promise.all([entry.served, keyIds]).catch(() => entries.peek(tenantId) === entry && entries.delete(tenantId));
    return entry;
  }

  /** Looks now and then whether the keys are still those that the provider was made with. */
  async function refresh(tenantId: string, db: TenantDatabase, entry: Entry): Promise<Entry> {
    entry.checkedAt = clock.monotonic();
    const keyIds = await readKeyIds(db);
    if (keyIds === (await entry.keyIds)) return entry;
    return enter(tenantId, db, Promise.resolve(keyIds), entry.purgedAt);
  }

  return {
    async find(tenantId, { fresh = false } = {}) {
      if (!isTenantId(tenantId)) throw new AppError('not_found', 'no tenant can have this id');
      const db = await tenants.open(tenantId);
      const now = clock.monotonic();
      let entry = entries.get(tenantId) ?? enter(tenantId, db, readKeyIds(db), now);
      if (fresh || now - entry.checkedAt > keysRecheckMs) entry = await refresh(tenantId, db, entry);
      if (now - entry.purgedAt > purgeMs) {
        entry.purgedAt = now;
        entries.purgeStale();
        purgeExpired(db, options.historyDays).catch((error: unknown) =>
          logger.warn({ err: error, tenant_id: tenantId }, 'purge failed'),
        );
      }
      return entry.served;
    },
  };
}

async function readKeyIds(db: TenantDatabase): Promise<string> {
  const rows = await db.$queryRaw<{ key: string }[]>`
    SELECT kid || ' ' || status AS key FROM signing_keys
     WHERE status = 'active' OR (status = 'retiring' AND (retires_at IS NULL OR retires_at > now())) ORDER BY 1`;
  return rows.map((row) => row.key).join(',');
}
