import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { loginGonePage, messagePage } from '../pages/message-page.js';
import { renderPage, type Page, type Site } from '../pages/page.js';

/** Whose pages a provider shows; set when the provider is made. */
const sites = new WeakMap<object, Site>();

export function setSite(provider: object, site: Site): void {
  sites.set(provider, site);
}

/** Answers with a page from inside of oidc-provider. */
export function answerWithPage(ctx: KoaContextWithOIDC, page: Page): void {
  const site = sites.get(ctx.oidc.provider) ?? { issuer: ctx.oidc.provider.issuer, tenantName: '' };
  const { status, headers, body } = renderPage(site, page);
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}

/** Errors that cannot be sent to the client: a person sees them, so nothing of the request is repeated but the code. */
export function renderProviderError(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): void {
  if (error.name === 'SessionNotFound') return answerWithPage(ctx, loginGonePage);
  if (out.error === 'server_error') {
    return answerWithPage(
      ctx,
      messagePage({ status: 500, title: 'Something went wrong', text: 'It is our fault. Try again in a minute.' }),
    );
  }
  answerWithPage(
    ctx,
    messagePage({
      status: ctx.status >= 400 ? ctx.status : 400,
      title: 'This request cannot be followed',
      text: 'The application that sent you here asked for something that it may not have, or its link is too old. Go back to it and start again.',
      detail: `For its developer: ${out.error}${out.error_description ? ` (${out.error_description})` : ''}`,
    }),
  );
}
