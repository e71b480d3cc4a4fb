import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Caller } from '../../authorization/caller.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Sealer } from '../../ports/sealer.js';
import type { DatabaseLease, SecretStore } from '../../ports/secret-store.js';
import {
  findLease,
  findOverdueLeases,
  insertLease,
  type Lease,
  letLeaseExpire,
  markLeaseEnded,
} from './leases.repository.js';
import { secretAddressOf } from './service.js';

export interface LeaseHolder {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly serviceId: string;
  readonly sid: string;
  readonly userId: string;
  readonly applicationId: string;
}

/** Dynamic credentials that were handed out, until they end. */
export interface LeasesService {
  /** Keeps it under an id of ours; what cannot be kept is ended and not handed out. */
  keep(holder: LeaseHolder, lease: DatabaseLease): Promise<string>;
  /** AppError 'not_found' for one that the caller does not reach; one that has ended stays so. */
  end(caller: Caller, leaseId: string): Promise<void>;
  /** Ends, as far as the store lets it, what has outlived its time or its session. Never rejects. */
  sweep(tenantId: string, db: TenantDatabase): Promise<void>;
}

export interface LeasesOptions {
  readonly secrets: Pick<SecretStore, 'databases'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly logger: Logger;
}

const sweepBatch = 100;

export function createLeasesService({ secrets, sealer, clock, logger }: LeasesOptions): LeasesService {
  const binding = (tenantId: string, id: string) => `${tenantId}/service_leases/${id}`;

  /** Whether it has ended for certain. */
  async function revoke(tenantId: string, { id, serviceId, sealedLeaseId }: Lease): Promise<boolean> {
    if (serviceId === null) return true;
    const { databases } = secrets;
    if (!databases) return false;
    try {
      const leaseId = sealer.open(sealedLeaseId, binding(tenantId, id)).toString('utf8');
      await databases.revoke(secretAddressOf(tenantId, serviceId), leaseId);
      return true;
    } catch (err) {
      logger.warn({ tenant: tenantId, service: serviceId, err }, 'a lease was not ended');
      return false;
    }
  }

  return {
    async keep({ tenantId, db, serviceId, ...holder }, lease) {
      const id = randomUUID();
      const sealedLeaseId = sealer.seal(lease.leaseId, binding(tenantId, id));
      const expiresAt = new Date(clock.now() + lease.leaseSeconds * 1_000);
      try {
        await insertLease(db, { id, serviceId, ...holder, sealedLeaseId, expiresAt });
        return id;
      } catch (error) {
        secrets.databases?.revoke(secretAddressOf(tenantId, serviceId), lease.leaseId).catch(() => {});
        throw error;
      }
    },

    async end({ db, tenantId, application, reach, sid }, leaseId) {
      const key = { id: leaseId, applicationId: application.id, ...(reach === 'session' && { sid }) };
      const lease = await findLease(db, key);
      if (!lease) throw new AppError('not_found', 'no such lease within reach');
      if (lease.endedAt) return;
      if (await revoke(tenantId, lease)) await markLeaseEnded(db, leaseId);
      else await letLeaseExpire(db, leaseId);
    },

    async sweep(tenantId, db) {
      if (!secrets.databases) return;
      try {
        for (const lease of await findOverdueLeases(db, sweepBatch)) {
          // The store is away: the leases run out there by themselves.
          if (!(await revoke(tenantId, lease))) return;
          await markLeaseEnded(db, lease.id);
        }
      } catch (err) {
        logger.warn({ tenant: tenantId, err }, 'leases were not looked through');
      }
    },
  };
}
