import { jwtVerify } from 'jose';
import { z } from 'zod';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { AppError } from '../errors/app-error.js';
import type { Clock } from '../ports/clock.js';
import { parseJws } from './parse-jws.js';
import type { TenantKeys } from './tenant-keys.js';

const names = z.array(z.string()).max(20_000);
const claimsSchema = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1),
  client_id: z.string().min(1),
  jti: z.string().min(1),
  iat: z.number(),
  exp: z.number(),
  sid: z.string().optional(),
  tenant_id: z.string().optional(),
  mcp_session: z.string().optional(),
  /** From the completion page, without an exchange. */
  paste_token: z.literal(true).optional(),
  roles: names.default([]),
  groups: names.default([]),
  scopes: names.default([]),
  resources: names.default([]),
});

/** The claims of a verified access token (RFC 9068); what they claim is an upper bound, not a right. */
export type AccessTokenClaims = z.output<typeof claimsSchema>;

export interface ExpectedToken {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly issuer: string;
  /** The one audience that the token must have. */
  readonly audience: string;
}

export type VerifyAccessToken = (token: string, expected: ExpectedToken) => Promise<AccessTokenClaims>;

const toleranceSeconds = 5;

/** Verifies access tokens of a tenant by its own keys; throws AppError 'invalid_token' for whatever is not one. */
export function createAccessTokenVerifier(keys: TenantKeys, clock: Clock): VerifyAccessToken {
  return async (token, { tenantId, db, issuer, audience }) => {
    const { kid, alg } = parseJws(token);
    const key = await keys.find(tenantId, db, kid);
    if (!key || key.alg !== alg)
      throw new AppError('invalid_token', 'no key of this tenant has this kid and algorithm');
    const payload = await verify(token, key.key, { alg, issuer, audience, at: clock.now() });
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) throw new AppError('invalid_token', 'the claims do not have the shape of an access token');
    const { aud, jti, iat, tenant_id: claimedTenant } = claims.data;
    if (aud !== audience) throw new AppError('invalid_token', 'aud is not exactly the expected one');
    if (claimedTenant !== undefined && claimedTenant !== tenantId) {
      throw new AppError('invalid_token', 'tenant_id is another tenant');
    }
    if (iat > clock.now() / 1000 + toleranceSeconds) throw new AppError('invalid_token', 'iat lies in the future');
    await assertNotRevoked(db, { jti, kid, iat });
    return claims.data;
  };
}

interface Revocations {
  readonly token: boolean;
  readonly keyLives: boolean;
  /** Epoch seconds; null where keys were never revoked. */
  readonly notBefore: number | null;
}

/** Asked anew each time, of the key too: what is revoked is so on all replicas at once, whatever they keep of the keys. */
async function assertNotRevoked(db: TenantDatabase, token: { jti: string; kid: string; iat: number }): Promise<void> {
  const [found] = await db.$queryRaw<Revocations[]>`
    SELECT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ${token.jti}) AS token,
           EXISTS (SELECT 1 FROM signing_keys WHERE kid = ${token.kid} AND (
             status = 'active' OR (status = 'retiring' AND (retires_at IS NULL OR retires_at > now()))
           )) AS "keyLives",
           (SELECT extract(epoch FROM max(revoked_at))::float8 FROM signing_keys) AS "notBefore"`;
  if (found?.token !== false) throw new AppError('invalid_token', 'the token was revoked');
  if (!found.keyLives) throw new AppError('invalid_token', 'the key of the token is retired');
  if (found.notBefore !== null && token.iat < found.notBefore - toleranceSeconds) {
    throw new AppError('invalid_token', 'the token was issued before the keys were revoked');
  }
}

async function verify(
  token: string,
  key: Parameters<typeof jwtVerify>[1],
  { alg, issuer, audience, at }: { alg: string; issuer: string; audience: string; at: number },
): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      typ: 'at+jwt',
      issuer,
      audience,
      requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'jti', 'iat', 'exp'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(at),
    });
    return payload;
  } catch (cause) {
    throw new AppError('invalid_token', 'the token does not verify', { cause });
  }
}
