import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { completionErrorPage, completionPage } from '../pages/completion-page.js';
import { messagePage } from '../pages/message-page.js';
import { applicationOf } from './client-metadata.js';
import { answerWithPage } from './provider-pages.js';

/**
 * Response mode `oob`: the code on a page of ours instead of a redirect. oidc-provider calls it for refused clients and
 * for errors too, so the handler itself decides who may end here: an application with the completion page, by a request
 * that it pushed for an MCP session.
 */
export function answerOutOfBand(ctx: KoaContextWithOIDC, _redirectUri: string, payload: Record<string, unknown>): void {
  const { code, error } = payload;
  const { client, params } = ctx.oidc;
  if (!client || !mayComplete(ctx)) {
    if (typeof code === 'string') throw new errors.InvalidRequest('response_mode oob is not for this client');
    answerWithPage(
      ctx,
      messagePage({
        status: 400,
        title: 'This request cannot be followed',
        text: 'The application that sent you here asked for something that it may not have. Go back to it and start again.',
        detail: `For its developer: ${String(error)}`,
      }),
    );
    return;
  }
  if (typeof code === 'string' && params) answerWithPage(ctx, completionPage(code, applicationOf(client).name));
  else answerWithPage(ctx, completionErrorPage(String(error)));
}

function mayComplete({ oidc }: KoaContextWithOIDC): boolean {
  if (!oidc.client || !applicationOf(oidc.client).completionPage) return false;
  return typeof oidc.params?.['mcp_session'] === 'string' && oidc.trusted?.includes('mcp_session') === true;
}
