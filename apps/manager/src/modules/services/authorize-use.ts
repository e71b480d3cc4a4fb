import { type Caller, reachesSession } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { AppErrorCode } from '../../errors/codes.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import type { DecisionsService } from '../decisions/decisions.service.js';
import type { JudgedSession } from '../sessions/judge-session.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import type { Service } from './service.js';
import { credentialEvent } from './service-audit.js';
import { findServiceByName } from './services.repository.js';

export interface UseRequest {
  readonly caller: Caller;
  /** Whose call it is. */
  readonly sid: string;
  readonly serviceName: string;
  readonly tool: string | undefined;
  readonly requestId: string;
}

/** Somebody may use a service, as of now. */
export interface AuthorizedUse {
  readonly service: Service;
  readonly session: JudgedSession;
  readonly decisionId: string;
}

/**
 * AppError 'not_found' for a session out of reach and for a service that is not there or disabled, 'session_ended',
 * 'service_denied' for whatever the application or the person lacks: which, the decision and the audit know.
 */
export type AuthorizeUse = (request: UseRequest) => Promise<AuthorizedUse>;

export interface AuthorizeUseOptions {
  readonly sessions: Pick<SessionsService, 'judge'>;
  readonly decisions: Pick<DecisionsService, 'decideJudged'>;
}

/** Judges session, application and person from the tenant's tables of this moment, and keeps the decision. */
export function createAuthorizeUse({ sessions, decisions }: AuthorizeUseOptions): AuthorizeUse {
  return async (request) => {
    const { caller, sid, serviceName, tool } = request;
    if (!reachesSession(caller, sid)) throw new AppError('not_found', 'no such session within reach');
    const [session, service] = await Promise.all([
      sessions.judge(caller, sid),
      findServiceByName(caller.db, serviceName),
    ]);
    if (!service?.enabled) throw new AppError('not_found', `no service ${serviceName} that is enabled`);
    if (!mayApplication(caller, service)) {
      throw await refuseUse(request, { service, session }, 'service_denied', { reason: 'application' });
    }
    const { userId: subject, grants, policyVersion } = session;
    const decision = await decisions.decideJudged(
      caller,
      { subject, sessionId: sid, grants, policyVersion },
      { requirement: service.requirement, tool, idempotencyKey: undefined },
    );
    const { decision_id: decisionId } = decision;
    if (!decision.allowed) {
      throw await refuseUse(request, { service, session }, 'service_denied', {
        reason: decision.code,
        decision_id: decisionId,
      });
    }
    return { service, session, decisionId };
  };
}

/** The error to throw, once the refusal stands in the audit. */
export async function refuseUse(
  request: UseRequest,
  use: Pick<AuthorizedUse, 'service' | 'session'>,
  code: AppErrorCode,
  details: Readonly<Record<string, string>>,
): Promise<AppError> {
  const event = credentialEvent('service.credential_refused', request, use, { code, ...details });
  await recordAuditEvent(request.caller.db, event);
  return new AppError(code, `service ${use.service.name}: ${Object.values(details).join(', ')}`);
}

/** What runs on a person's own machine gets what is the person's own, and the tenant's only where the service says so. */
function mayApplication({ kind, application }: Caller, service: Service): boolean {
  if (!service.applications.includes(application.clientId)) return false;
  return kind !== 'session' || service.publicClients || service.kind === 'oauth2_authorization_code';
}
