import type { KoaContextWithOIDC } from 'oidc-provider';

/** Koa middleware in front of oidc-provider: what it has no route for, or not for this method. */
export async function answerUnknown(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  if (ctx.status !== 404 || ctx.body !== undefined || ctx.oidc !== undefined) return;
  ctx.status = 404;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { error: 'not_found', error_description: 'There is no such endpoint, or not with this method.' };
}
