import type { RenewedLease } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { type AuthorizeUse, refuseUse } from './authorize-use.js';
import type { LeasesService } from './leases.service.js';
import { maxLeaseSeconds } from './obtain-credential.js';
import { credentialEvent } from './service-audit.js';
import { findService } from './services.repository.js';
import { atStore } from './translate-store-error.js';
import { type Progress, withinCredentialBudget } from './within-budget.js';

export interface RenewRequest {
  readonly caller: Caller;
  readonly leaseId: string;
  readonly tool: string | undefined;
  readonly requestId: string;
  /** On the monotonic clock. */
  readonly receivedAt: number;
}

/** Within two seconds, whatever hangs; AppError. */
export type RenewLease = (request: RenewRequest) => Promise<RenewedLease>;

/** A dynamic credential lives on where its person might get another now. */
export function createRenewLease(options: {
  readonly authorizeUse: AuthorizeUse;
  readonly leases: Pick<LeasesService, 'find' | 'renew'>;
  readonly clock: Clock;
}): RenewLease {
  const { authorizeUse, leases, clock } = options;

  async function renew(request: RenewRequest, progress: Progress): Promise<RenewedLease> {
    const { caller, leaseId, tool, requestId } = request;
    const lease = await leases.find(caller, leaseId);
    const found = await findService(caller.db, lease.serviceId);
    if (!found) throw new AppError('not_found', 'the service of this lease is gone');
    const asked = { caller, sid: lease.sid, serviceName: found.name, tool, requestId };
    const use = await authorizeUse(asked);
    const { decisionId: decision_id } = use;
    const { settings, rawCredential } = use.service;
    if (!rawCredential || settings.kind !== 'database') {
      throw await refuseUse(asked, use, 'service_raw_denied', { decision_id });
    }
    progress.waitingFor = 'secret_store_unavailable';
    const lives = await atStore(leases.renew(caller, lease, settings.ttl_seconds));
    progress.waitingFor = 'tenant_unavailable';
    const details = { decision_id, lease_id: leaseId };
    await recordAuditEvent(caller.db, credentialEvent('service.credential_renewed', asked, use, details));
    return { expires_in: Math.min(lives, maxLeaseSeconds), decision_id };
  }

  return (request) => withinCredentialBudget(clock, request, (progress) => renew(request, progress));
}
