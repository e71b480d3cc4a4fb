import type { KoaContextWithOIDC } from 'oidc-provider';
import { apiAudienceOf } from '../authorization/issuer.js';
import { loginOf } from './access-token-claims.js';
import { lifetimes } from './lifetimes.js';
import { mintAccessToken } from './mint-access-token.js';
import type { TenantContext } from './tenant-context.js';

/**
 * Koa middleware in front of oidc-provider: a public client has no token of its own for the Manager's API, so that the
 * token response of an in-band login gives it one (`session_token`) that counts for this session and nothing else.
 */
export function createSessionTokens(context: TenantContext) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (ctx.status !== 200 || ctx.oidc?.route !== 'token' || ctx.oidc.client?.clientAuthMethod !== 'none') return;
    const login = loginOf(ctx);
    if (!login || login.mcpSession === null) return;
    const left = Math.floor((login.expiresAt.getTime() - context.clock.now()) / 1000);
    const lifetimeSeconds = Math.max(1, Math.min(lifetimes.accessToken, left));
    const sessionToken = await mintAccessToken(ctx, context, {
      sid: login.id,
      userId: login.userId,
      audience: apiAudienceOf(context.issuer),
      lifetimeSeconds,
      purpose: 'session',
    });
    ctx.body = {
      ...(ctx.body as Record<string, unknown>),
      session_token: sessionToken,
      session_token_expires_in: lifetimeSeconds,
    };
  };
}
