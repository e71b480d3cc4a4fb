import type { ServiceCredential } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import { type ClientCertificate, FetchRefused } from '../../ports/guarded-fetch.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import type { ObtainCredential } from './obtain-credential.js';
import { secretAddressOf, type Service } from './service.js';
import { fetchFor, type ServiceFetches } from './service-fetch.js';
import { noteServiceCheck } from './services-in-use.repository.js';
import { findService } from './services.repository.js';
import { withinBudget } from './within-budget.js';

export interface ServiceCheck {
  readonly ok: boolean;
  readonly outcome: string;
  readonly checked_at: string;
}

/** AppError 'not_found'; whatever else happens is the outcome. */
export type TestService = (caller: Caller, serviceId: string, requestId: string) => Promise<ServiceCheck>;

export interface TestServiceOptions {
  readonly obtain: ObtainCredential;
  readonly secrets: SecretStore;
  readonly fetches: ServiceFetches;
  readonly clock: Clock;
}

const credentialMs = 1_950;
const answerMs = 1_500;

/** Gets the credential as a tool would, the caller's own account where it is one per person, and asks the service. */
export function createTestService({ obtain, secrets, fetches, clock }: TestServiceOptions): TestService {
  return async (caller, serviceId, requestId) => {
    const { db } = caller;
    const service = await findService(db, serviceId);
    if (!service) throw new AppError('not_found', 'no such service');
    const outcome = await check(caller, service);
    const at = new Date(clock.now());
    await noteServiceCheck(db, serviceId, at, outcome);
    await recordAuditEvent(db, {
      action: 'service.test',
      actor: actorOf(caller),
      target: { kind: 'service', id: serviceId },
      outcome: 'done',
      requestId,
      details: { name: service.name, outcome },
    });
    return { ok: outcome === 'ok', outcome, checked_at: at.toISOString() };
  };

  async function check({ tenantId, db, userId }: Caller, service: Service): Promise<string> {
    const asked = { tenantId, db, service, version: service.secretVersion, userId };
    try {
      const { credential, lease } = await withinBudget(credentialMs, (progress) => obtain(asked, progress));
      if (lease) await secrets.databases?.revoke(secretAddressOf(tenantId, service.id), lease.leaseId).catch(() => {});
      return service.healthPath === null || service.baseUrl === null ? 'ok' : await ask(service, credential);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error.code;
    }
  }

  async function ask(service: Service, credential: ServiceCredential): Promise<string> {
    const { url, headers, clientCertificate } = toRequest(service, credential);
    try {
      const signal = AbortSignal.timeout(answerMs);
      const options = { headers: { accept: '*/*', 'user-agent': 'authsec', ...headers }, signal };
      const answer = await fetchFor(fetches, service)(url, {
        ...options,
        ...(clientCertificate && { clientCertificate }),
      });
      return answer.ok ? 'ok' : `http_${answer.status}`;
    } catch (error) {
      if (!(error instanceof FetchRefused)) throw error;
      return outcomeOf(error);
    }
  }
}

interface HealthRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientCertificate?: ClientCertificate;
}

function toRequest({ baseUrl, healthPath }: Service, credential: ServiceCredential): HealthRequest {
  const url = new URL((baseUrl ?? '').replace(/\/+$/, '') + (healthPath ?? ''));
  switch (credential.type) {
    case 'query':
      url.searchParams.append(credential.name, credential.value);
      return { url: url.href, headers: {} };
    case 'header':
      return { url: url.href, headers: { [credential.name]: credential.value } };
    case 'basic': {
      const pair = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
      return { url: url.href, headers: { authorization: `Basic ${pair}` } };
    }
    case 'bearer':
      return { url: url.href, headers: { authorization: `Bearer ${credential.token}` } };
    case 'client_certificate': {
      const { certificate, private_key: privateKey, certificate_authority: authority } = credential;
      const clientCertificate = { certificate, privateKey, certificateAuthority: authority ?? undefined };
      return { url: url.href, headers: {}, clientCertificate };
    }
    case 'database':
    default:
      return { url: url.href, headers: {} };
  }
}

function outcomeOf({ reason, status }: FetchRefused): string {
  if (status !== undefined) return status >= 200 && status < 300 ? 'ok' : `http_${status}`;
  if (reason === 'timeout' || reason === 'aborted') return 'timeout';
  return reason === 'address' || reason === 'scheme' || reason === 'url' ? 'address_refused' : 'unreachable';
}
