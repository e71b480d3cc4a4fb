import { decodeJwt } from 'jose';
import { errors, type Client, type KoaContextWithOIDC, type Provider } from 'oidc-provider';

import { apiAudienceOf } from '../authorization/issuer.js';
import type { AccessTokenClaims, VerifyAccessToken } from '../authorization/verify-access-token.js';
import { AppError } from '../errors/app-error.js';
import { applicationOf } from './client-metadata.js';
import type { TenantContext } from './tenant-context.js';

/** Requests that oidc-provider authenticated and then refused because the token is a JWT (it stores none). */
const withJwt = new WeakSet<object>();

/** Tells those apart from every other refusal, wrong client credentials above all. */
export function watchForJwts(provider: Provider): void {
  const note = (ctx: KoaContextWithOIDC, error: Error) => {
    if (error instanceof errors.UnsupportedTokenType) withJwt.add(ctx);
  };
  provider.on('revocation.error', note);
  provider.on('introspection.error', note);
}

/** Koa middleware in front of oidc-provider: revocation (RFC 7009) and introspection (RFC 7662) of our JWTs. */
export function createJwtTokens(context: TenantContext, verify: VerifyAccessToken) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (!withJwt.has(ctx)) return;
    const { client, params, route } = ctx.oidc;
    if (!client) throw new Error('a client that is not there was authenticated');
    const token = String(params?.['token']);
    const claims = await claimsOf(token, client);
    ctx.remove('WWW-Authenticate');
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 200;
    if (route === 'introspection') {
      const alive = claims !== undefined && (await isAlive(claims, client));
      ctx.body = alive ? { ...decodeJwt(token), active: true, token_type: 'Bearer' } : { active: false };
      ctx.type = 'application/json; charset=utf-8';
      return;
    }
    if (claims) await revoke(claims);
    ctx.body = '';
  };

  /** Undefined for what is not a valid token of this client; RFC 7009 and 7662 make no difference between the reasons. */
  async function claimsOf(token: string, client: Client): Promise<AccessTokenClaims | undefined> {
    const own = [applicationOf(client).resource, apiAudienceOf(context.issuer)];
    const audience = own.find((value) => value === readAudience(token));
    if (audience === undefined) return undefined;
    try {
      const expected = { tenantId: context.tenantId, db: await context.db(), issuer: context.issuer, audience };
      const claims = await verify(token, expected);
      return claims.client_id === client.clientId ? claims : undefined;
    } catch (error) {
      if (error instanceof AppError && error.code === 'invalid_token') return undefined;
      throw error;
    }
  }

  async function isAlive(claims: AccessTokenClaims, client: Client): Promise<boolean> {
    if (client.clientAuthMethod === 'none') return false;
    if (claims.sid === undefined) return claims.sub === client.clientId;
    const login = await context.sessions.findSession(await context.db(), claims.sid);
    return login !== null && login.endedAt === null && login.expiresAt.getTime() > context.clock.now();
  }

  /** An in-band token is the login: with it the session ends. Another is one of many: it alone ends. */
  async function revoke({ jti, exp, sid, mcp_session: mcpSession }: AccessTokenClaims): Promise<void> {
    const db = await context.db();
    await db.$executeRaw`
      INSERT INTO revoked_tokens (jti, expires_at) VALUES (${jti}, to_timestamp(${exp}::float8)) ON CONFLICT DO NOTHING`;
    if (sid === undefined || mcpSession === undefined) return;
    await context.sessions.endSession({ tenantId: context.tenantId, db, sid, reason: 'revoked' });
  }
}

function readAudience(token: string): unknown {
  try {
    return decodeJwt(token).aud;
  } catch {
    return undefined;
  }
}
