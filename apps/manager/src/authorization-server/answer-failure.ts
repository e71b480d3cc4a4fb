import type { KoaContextWithOIDC } from 'oidc-provider';
import { errorDefinitions } from '../errors/codes.js';
import { toAppError } from '../errors/to-problem.js';
import { oauthError } from './front-errors.js';

/** Koa middleware in front of oidc-provider: what fails in ours is an error as of RFC 6749, as what fails in it is. */
export async function answerFailure(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  try {
    await next();
  } catch (thrown) {
    const { code, headers } = toAppError(thrown);
    ctx.app.emit('error', thrown, ctx);
    const { status, detail } = errorDefinitions[code];
    ctx.status = status;
    ctx.set({ ...headers, 'Cache-Control': 'no-store' });
    ctx.body = { error: oauthError(code), error_description: detail };
  }
}
