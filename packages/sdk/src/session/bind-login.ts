import { ManagerClientError, type ActiveSession } from '@authsec/manager-client';
import { AuthSecError, type LoginErrorCode } from '../authsec-error.js';
import type { Sent } from '../grants/lease.js';
import type { LoginContext } from './login-context.js';
import type { ManagerAccess } from './manager-access.js';

const refusals: ReadonlyMap<string, LoginErrorCode> = new Map([
  ['person_token_invalid', 'token_invalid'],
  ['token_not_for_this_session', 'token_not_for_this_session'],
  ['token_already_used', 'token_already_used'],
  ['session_ended', 'login_expired'],
  ['insufficient_permission', 'login_refused'],
] as const);

export interface LoginToBind {
  readonly accessToken: string;
  readonly idempotencyKey: string;
  readonly sessionId: string;
  readonly audience: string;
  readonly pasted: boolean;
  readonly manifestDigest: string | undefined;
}

/** Verifies the person's token and binds it, at the Manager, to the login that it is for. */
export async function bindLogin(
  context: LoginContext,
  access: ManagerAccess,
  login: LoginToBind,
): Promise<{ session: ActiveSession; sent: Sent }> {
  const { accessToken, idempotencyKey, sessionId, audience, pasted, manifestDigest } = login;
  const claims = await context.verifyToken(accessToken, { sessionId, audience, pasted });
  const sent = access.grants.sending();
  const body = {
    access_token: accessToken,
    mcp_session: sessionId,
    ...(manifestDigest !== undefined && { manifest_digest: manifestDigest }),
  };
  const session = await access.sessions.bind(body, { idempotencyKey }).catch((cause: unknown) => {
    throw translate(cause);
  });
  if (session.sub !== claims.sub || session.sid !== claims.sid || session.tenant_id !== claims.tenantId) {
    throw new AuthSecError('manager_unavailable', 'the Manager answered the bind with another session');
  }
  return { session, sent };
}

function translate(cause: unknown): AuthSecError {
  if (!(cause instanceof ManagerClientError)) return new AuthSecError('internal_error', 'the bind failed', { cause });
  const code = refusals.get(cause.code) ?? 'manager_unavailable';
  return new AuthSecError(code, `the login could not be bound: ${cause.code}: ${cause.message}`, { cause });
}
