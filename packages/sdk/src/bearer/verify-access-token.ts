import type { Issuer } from '@authsec/manager-client';
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { AuthSecError } from '../authsec-error.js';

/** What is read of a verified in-band token; its rights are an upper bound that only the Manager judges. */
export interface AccessTokenClaims {
  readonly sub: string;
  readonly sid: string;
  readonly jti: string;
  readonly tenantId: string;
}

export interface ExpectedToken {
  readonly issuer: Issuer;
  readonly audience: string;
  readonly clientId: string;
  /** The `mcp_session` that it must be for. */
  readonly sessionId: string;
  /** It must be the one that the completion page offers, and else must not be. */
  readonly pasted?: boolean;
  readonly keys: JWTVerifyGetKey;
  /** Seconds that clocks may differ. */
  readonly clockToleranceSeconds?: number;
}

const algorithms = ['ES256', 'EdDSA', 'Ed25519'];
const headerNames = new Set(['alg', 'kid', 'typ']);
const maxTokenLength = 16_384;
/** What jose says when it did not get a key set, as opposed to one without the key. */
const keySetFailures = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

/** Verifies an access token (RFC 9068) of an in-band login. Throws AuthSecError `token_not_for_this_session`, `token_invalid` or `manager_unavailable`. */
export async function verifyAccessToken(token: string, expected: ExpectedToken): Promise<AccessTokenClaims> {
  assertCanonical(token);
  const { issuer, audience, clientId, clockToleranceSeconds: clockTolerance = 10 } = expected;
  const { payload } = await jwtVerify(token, expected.keys, {
    algorithms,
    typ: 'at+jwt',
    issuer: issuer.issuer,
    audience,
    clockTolerance,
    requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti', 'sid', 'client_id', 'tenant_id', 'mcp_session'],
  }).catch((error: unknown) => {
    throw translate(error);
  });
  const { sub, sid, jti, tenant_id: tenantId } = payload;
  if (payload.aud !== audience) throw invalid('it is for several audiences');
  if (payload['client_id'] !== clientId) throw invalid('it is of another application');
  if (tenantId !== issuer.tenantId) throw invalid('it is of another tenant');
  if (!isText(sub) || !isText(sid) || !isText(jti)) throw invalid('sub, sid or jti is not text');
  if (payload['mcp_session'] !== expected.sessionId) {
    throw new AuthSecError('token_not_for_this_session', 'the access token is for another MCP session');
  }
  if ((payload['paste_token'] === true) !== (expected.pasted === true)) throw invalid('it came another way');
  return { sub, sid, jti, tenantId };
}

/** jose accepts base64url whose last character has bits to spare: two spellings of one token. And keys are never found by the token. */
function assertCanonical(token: string): void {
  if (token.length > maxTokenLength) throw invalid('it is too long');
  const parts = token.split('.');
  if (parts.length !== 3) throw invalid('it is not a compact JWS');
  for (const part of parts) {
    if (part === '' || Buffer.from(part, 'base64url').toString('base64url') !== part)
      throw invalid('its form is not canonical');
  }
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString('utf8'));
  } catch {
    throw invalid('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null) throw invalid('its header is not an object');
  const foreign = Object.keys(header).find((name) => !headerNames.has(name));
  if (foreign !== undefined) throw invalid(`its header has ${JSON.stringify(foreign.slice(0, 32))}`);
}

function translate(error: unknown): AuthSecError {
  if (!(error instanceof errors.JOSEError) || keySetFailures.has(error.code)) {
    return new AuthSecError('manager_unavailable', 'the key set of the issuer cannot be had');
  }
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalid(`its ${error.claim} is not accepted (${error.reason})`);
  return invalid(error.code);
}

function invalid(reason: string): AuthSecError {
  return new AuthSecError('token_invalid', `the access token is refused: ${reason}`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
