import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Caller } from '../../authorization/caller.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Sealer } from '../../ports/sealer.js';
import {
  type DatabaseLease,
  type DynamicDatabases,
  type SecretStore,
  SecretStoreError,
} from '../../ports/secret-store.js';
import {
  findLease,
  findOverdueLeases,
  insertLease,
  type Lease,
  letLeaseExpire,
  markLeaseEnded,
  prolongLease,
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

/** One whose service is still there. */
type LiveLease = Lease & { readonly serviceId: string };

/** Dynamic credentials that were handed out, until they end. */
export interface LeasesService {
  /** Keeps it under an id of ours; what cannot be kept is ended and not handed out. */
  keep(holder: LeaseHolder, lease: DatabaseLease): Promise<string>;
  /** AppError 'not_found' for one that the caller does not reach, or that is over. */
  find(caller: Caller, leaseId: string): Promise<LiveLease>;
  /** The seconds that it now lives; AppError 'not_found' where it is over. */
  renew(caller: Caller, lease: LiveLease, seconds: number): Promise<number>;
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
const sweepAtOnce = 4;

function isOver(): AppError {
  return new AppError('not_found', 'the lease is over');
}

export function createLeasesService({ secrets, sealer, clock, logger }: LeasesOptions): LeasesService {
  const binding = (tenantId: string, id: string) => `${tenantId}/service_leases/${id}`;

  function open(tenantId: string, { id, sealedLeaseId }: Lease): { databases: DynamicDatabases; leaseId: string } {
    const { databases } = secrets;
    if (!databases) throw new SecretStoreError('unsupported', 'this store makes no accounts');
    return { databases, leaseId: sealer.open(sealedLeaseId, binding(tenantId, id)).toString('utf8') };
  }

  /** Resolves where it has ended for certain. */
  async function revoke(tenantId: string, lease: Lease): Promise<void> {
    if (lease.serviceId === null) return;
    const { databases, leaseId } = open(tenantId, lease);
    await databases.revoke(secretAddressOf(tenantId, lease.serviceId), leaseId);
  }

  async function findWithin({ db, application, reach, sid }: Caller, leaseId: string): Promise<Lease> {
    const key = { id: leaseId, applicationId: application.id, ...(reach === 'session' && { sid }) };
    const lease = await findLease(db, key);
    if (!lease) throw new AppError('not_found', 'no such lease within reach');
    return lease;
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

    async find(caller, leaseId) {
      const lease = await findWithin(caller, leaseId);
      const { serviceId } = lease;
      if (serviceId === null || lease.endedAt || lease.expiresAt.getTime() <= clock.now()) throw isOver();
      return { ...lease, serviceId };
    },

    async renew({ db, tenantId }, lease, seconds) {
      const { id, serviceId } = lease;
      const { databases, leaseId } = open(tenantId, lease);
      const lives = await databases
        .renew(secretAddressOf(tenantId, serviceId), leaseId, seconds)
        .catch((error: unknown) => {
          throw error instanceof SecretStoreError && error.failure === 'missing' ? isOver() : error;
        });
      if (!(await prolongLease(db, id, new Date(clock.now() + lives * 1_000)))) throw isOver();
      return lives;
    },

    async end(caller, leaseId) {
      const { db, tenantId } = caller;
      const lease = await findWithin(caller, leaseId);
      if (lease.endedAt) return;
      try {
        await revoke(tenantId, lease);
      } catch (err) {
        logger.warn({ tenant: tenantId, service: lease.serviceId, err }, 'a lease was not ended');
        return letLeaseExpire(db, leaseId);
      }
      await markLeaseEnded(db, leaseId);
    },

    async sweep(tenantId, db) {
      if (!secrets.databases) return;
      try {
        const leases = await findOverdueLeases(db, sweepBatch);
        const failures: unknown[] = [];
        const work = async (): Promise<void> => {
          for (let lease = leases.pop(); lease; lease = leases.pop()) {
            const { id } = lease;
            await revoke(tenantId, lease).then(
              () => markLeaseEnded(db, id),
              (error: unknown) => failures.push(error),
            );
          }
        };
        await Promise.all(Array.from({ length: sweepAtOnce }, work));
        const [err] = failures;
        if (err) logger.warn({ tenant: tenantId, count: failures.length, err }, 'leases were not ended');
      } catch (err) {
        logger.warn({ tenant: tenantId, err }, 'leases were not looked through');
      }
    },
  };
}
