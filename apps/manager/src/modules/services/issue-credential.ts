import type { IssuedCredential } from '@authsec/manager-client/contract';
import type { Logger } from 'pino';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { type AuthorizedUse, type AuthorizeUse, refuseUse, type UseRequest } from './authorize-use.js';
import type { LeasesService } from './leases.service.js';
import type { ObtainCredential, ObtainedCredential } from './obtain-credential.js';
import { secretAddressOf, type Service } from './service.js';
import { credentialEvent } from './service-audit.js';
import { forgetPreviousSecret, noteServiceUse } from './services-in-use.repository.js';
import { findService } from './services.repository.js';
import { type Progress, withinCredentialBudget } from './within-budget.js';

export interface IssueRequest extends UseRequest {
  /** The code of a tool is to see it. */
  readonly raw: boolean;
  /** The one before a rotation. */
  readonly previous: boolean;
  /** On the monotonic clock. */
  readonly receivedAt: number;
}

/** Within two seconds, whatever hangs; AppError. */
export type IssueCredential = (request: IssueRequest) => Promise<IssuedCredential>;

export interface IssueCredentialOptions {
  /** The operator's word, which a service needs beside its own. */
  readonly mayAllowPrivateAddresses: boolean;
  readonly authorizeUse: AuthorizeUse;
  readonly obtain: ObtainCredential;
  readonly leases: LeasesService;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A credential for one call of a tool: who may is decided here and now, each time. */
export function createIssueCredential(options: IssueCredentialOptions): IssueCredential {
  const { authorizeUse, obtain, leases, secrets, clock, logger, mayAllowPrivateAddresses } = options;

  async function issue(request: IssueRequest, progress: Progress, signal: AbortSignal): Promise<IssuedCredential> {
    const { caller, raw, previous, sid } = request;
    const { tenantId, db } = caller;
    const use = await authorizeUse(request);
    const { service, session } = use;
    if ((raw && !service.rawCredential) || (service.kind === 'database' && !raw)) {
      throw await refuseUse(request, use, 'service_raw_denied', { decision_id: use.decisionId });
    }
    const { version, seconds } = versionOf(service, previous, clock.now());
    const asked = { tenantId, db, service, version, userId: session.userId };
    const obtained = await obtain(asked, progress).catch(async (error: unknown) => {
      if (!(await wasReplaced(error, db, service))) throw error;
    });
    // All of it anew: who may, and where it goes, may have been replaced with it.
    if (!obtained) return issue(request, progress, signal);
    progress.waitingFor = 'tenant_unavailable';
    const leaseId = await keepLease(obtained);
    if (signal.aborted) {
      // Nobody is there to take it.
      if (leaseId !== null) await leases.end(caller, leaseId);
      throw new AppError(progress.waitingFor, 'the credential came too late');
    }
    await record(request, use, leaseId);
    retire(tenantId, request, service);
    const { id, name, kind, baseUrl: base_url } = service;
    const allow_private_addresses = service.allowPrivateAddresses && mayAllowPrivateAddresses;
    return {
      service: { id, name, kind, base_url, allow_private_addresses },
      credential: obtained.credential,
      expires_in: Math.min(seconds, obtained.keepSeconds),
      lease_id: leaseId,
      decision_id: use.decisionId,
    };

    async function keepLease({ lease }: ObtainedCredential): Promise<string | null> {
      if (!lease) return null;
      const { userId, applicationId } = session;
      return leases.keep({ tenantId, db, serviceId: service.id, sid, userId, applicationId }, lease);
    }
  }

  /** What was handed out stands in the audit before it is handed out. */
  async function record(request: IssueRequest, use: AuthorizedUse, leaseId: string | null): Promise<void> {
    const { caller, raw, previous } = request;
    const details = { raw, previous, decision_id: use.decisionId, lease_id: leaseId };
    try {
      await recordAuditEvent(caller.db, credentialEvent('service.credential_issued', request, use, details));
      await noteServiceUse(caller.db, use.service.id);
    } catch (error) {
      if (leaseId !== null) leases.end(caller, leaseId).catch(() => {});
      throw error;
    }
  }

  /** After the overlap of a rotation the secret before goes, by whoever comes by. */
  function retire(tenantId: string, { caller }: IssueRequest, service: Service): void {
    const { id, previousSecretVersion: version, previousSecretUntil: until } = service;
    if (version === null || !until || until.getTime() > clock.now()) return;
    secrets
      .destroyVersion(secretAddressOf(tenantId, id), version)
      .then(() => forgetPreviousSecret(caller.db, id, version))
      .catch((err: unknown) => logger.warn({ tenant: tenantId, service: id, err }, 'a secret was not retired'));
  }

  return (request) => withinCredentialBudget(clock, request, (progress, signal) => issue(request, progress, signal));
}

/** Whether a secret is missing since there is another one by now; of what is gone for good there is none. */
async function wasReplaced(error: unknown, db: TenantDatabase, { id, secretVersion }: Service): Promise<boolean> {
  if (!(error instanceof AppError) || error.code !== 'secret_missing') return false;
  const now = await findService(db, id);
  return now !== undefined && now.secretVersion !== secretVersion;
}

/** Which of the service's secrets, and for how long at most as far as a rotation goes. */
function versionOf(service: Service, previous: boolean, at: number): { version: number; seconds: number } {
  if (!previous) return { version: service.secretVersion, seconds: Infinity };
  const { previousSecretVersion: version, previousSecretUntil: until, kind } = service;
  const seconds = until ? (until.getTime() - at) / 1_000 : 0;
  const rotates = kind !== 'database' && kind !== 'oauth2_authorization_code';
  if (version === null || seconds <= 0 || !rotates) {
    throw new AppError('not_found', `service ${service.name}: there is no secret before the one in use`);
  }
  return { version, seconds };
}
