import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { completionErrorPage, completionPage } from '../pages/completion-page.js';
import { messagePage } from '../pages/message-page.js';
import { applicationOf } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { mintAccessToken } from './mint-access-token.js';
import { answerWithPage } from './provider-pages.js';
import { takesPastedToken } from './push-login.js';
import type { TenantContext } from './tenant-context.js';

/**
 * Response mode `oob`: the code on a page of ours instead of a redirect. oidc-provider calls it for refused clients and
 * for errors too, so the handler itself decides who may end here: an application with the completion page, by a request
 * that it pushed for an MCP session.
 */
export function createOutOfBandAnswer(context: TenantContext) {
  return async (ctx: KoaContextWithOIDC, _redirectUri: string, payload: Record<string, unknown>): Promise<void> => {
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
    if (typeof code !== 'string' || !params) return answerWithPage(ctx, completionErrorPage(String(error)));
    const jwt = takesPastedToken(client) ? await mintPasteToken(ctx, context) : undefined;
    answerWithPage(ctx, completionPage(code, applicationOf(client).name, jwt));
  };
}

/** Of the grant that the code is of: whichever is used first voids the other. */
function mintPasteToken(ctx: KoaContextWithOIDC, context: TenantContext): Promise<string> {
  const { client, account, entities } = ctx.oidc;
  const sid = entities.Grant?.jti;
  if (!client || !account || sid === undefined) throw new Error('a login was completed without its grant');
  return mintAccessToken(ctx, context, {
    sid,
    userId: account.accountId,
    audience: applicationOf(client).resource,
    lifetimeSeconds: lifetimes.pasteToken,
    purpose: 'paste',
  });
}

function mayComplete({ oidc }: KoaContextWithOIDC): boolean {
  if (!oidc.client || !applicationOf(oidc.client).completionPage) return false;
  return typeof oidc.params?.['mcp_session'] === 'string' && oidc.trusted?.includes('mcp_session') === true;
}
