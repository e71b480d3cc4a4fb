import type { KoaContextWithOIDC } from 'oidc-provider';
import { openidScope } from './scopes.js';

/** Koa middleware in front of oidc-provider: its metadata lists some things by default that this server does not have. */
export async function correctMetadata(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  if (ctx.status !== 200 || ctx.oidc?.route !== 'discovery') return;
  ctx.body = {
    ...(ctx.body as Record<string, unknown>),
    response_modes_supported: ['query', 'oob'],
    scopes_supported: [openidScope],
    claims_supported: ['iss', 'sub', 'aud', 'iat', 'exp', 'auth_time', 'amr', 'nonce'],
  };
}
