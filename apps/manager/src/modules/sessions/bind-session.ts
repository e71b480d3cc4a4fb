import type { ActiveSession } from '@authsec/manager-client/contract';
import { type Caller, reachesSession } from '../../authorization/caller.js';
import { evaluatePerson } from '../../authorization/evaluate-person.js';
import type { AccessTokenClaims, VerifyAccessToken } from '../../authorization/verify-access-token.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import { noteManifestUse } from '../manifests/manifests.service.js';
import { resourceOf } from '../applications/application.js';
import { boundsOf, toActiveSession } from './session.js';
import { bindOnce, bindPastedOnce, findSessionOf } from './sessions.repository.js';

export interface BindRequest {
  readonly caller: Caller;
  /** The person's, issued to the calling application. */
  readonly accessToken: string;
  /** The session that began the login. */
  readonly mcpSession: string;
  readonly idempotencyKey: string | undefined;
  /** Of the tool manifest of the server that holds the session. */
  readonly manifestDigest: string | undefined;
}

export type BindSession = (request: BindRequest) => Promise<ActiveSession>;

export interface BindOptions {
  readonly verifyAccessToken: VerifyAccessToken;
  readonly clock: Clock;
  readonly telemetry?: Pick<Telemetry, 'record'>;
}

/** Binds an in-band login to the MCP session that began it: once, whoever asks and how many ask at the same moment. */
export function createBindSession(options: BindOptions): BindSession {
  const { verifyAccessToken, clock, telemetry = noTelemetry } = options;
  return async ({ caller, accessToken, mcpSession, idempotencyKey, manifestDigest }) => {
    const claims = await verifyPersonToken(verifyAccessToken, caller, accessToken);
    if (claims.mcp_session !== mcpSession) {
      throw new AppError('token_not_for_this_session', 'mcp_session of the token is another one');
    }
    const { db, tenantId, application } = caller;
    const at = clock.now();
    const keyHash = idempotencyKey === undefined ? null : hashIdentifier(idempotencyKey);
    const { sid, userId, pasted } = claims;
    const attempt = {
      sid,
      userId,
      applicationId: application.id,
      mcpSession,
      keyHash,
      manifestDigest,
      at: new Date(at),
    };
    const bound = pasted ? await bindPastedOnce(db, attempt) : await bindOnce(db, attempt);
    if (bound && pasted) telemetry.record({ kind: 'login', tenantId, method: 'pasted', outcome: 'success' });
    const session = await findSessionOf(db, application.id, claims.sid);
    if (!session || session.userId !== claims.userId) throw new AppError('person_token_invalid', 'no such login');
    if (session.mcpSession !== mcpSession) {
      throw new AppError('token_not_for_this_session', 'mcp_session of the login is another one');
    }
    if (session.endedAt || session.expiresAt.getTime() <= at)
      throw new AppError('session_ended', 'the login has ended');
    const repeated = keyHash !== null && session.bindKeyHash === keyHash;
    if (!bound && !repeated) {
      if (session.boundAt) throw new AppError('token_already_used', 'the login is bound already');
      if (pasted) throw new AppError('token_already_used', 'the code of the login was used, or is too old');
      throw new AppError('session_ended', 'the person is gone or disabled');
    }
    const person = await evaluatePerson(db, session.userId, boundsOf(session), at);
    if (person?.status !== 'active') throw new AppError('session_ended', 'the person is gone or disabled');
    if (manifestDigest !== undefined) await noteManifestUse(db, application.id, [manifestDigest]);
    return toActiveSession(session, person, { tenantId, at });
  };
}

/** Of this issuer, for the calling application and issued to it; of the claims only who and which login are used. */
async function verifyPersonToken(verifyAccessToken: VerifyAccessToken, caller: Caller, token: string) {
  const { tenantId, db, issuer, application } = caller;
  let claims: AccessTokenClaims;
  try {
    claims = await verifyAccessToken(token, { tenantId, db, issuer, audience: resourceOf(application) });
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'invalid_token') throw cause;
    throw new AppError('person_token_invalid', cause.message, { cause });
  }
  const { client_id: clientId, sid, sub: userId, mcp_session, paste_token: pasted = false } = claims;
  if (clientId !== application.clientId) {
    throw new AppError('person_token_invalid', 'the token was issued to another application');
  }
  if (sid === undefined || userId === clientId) throw new AppError('person_token_invalid', 'not the token of a person');
  if (!reachesSession(caller, sid)) throw new AppError('person_token_invalid', 'the token is of another login');
  return { sid, userId, mcp_session, pasted };
}
