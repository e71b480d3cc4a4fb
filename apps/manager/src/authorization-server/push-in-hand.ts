import type { IncomingMessage } from 'node:http';
import { Provider, type KoaContextWithOIDC } from 'oidc-provider';

/** Requests to `/go`, which go through the real endpoint of RFC 9126 for authentication and validation. */
const pushes = new WeakSet<IncomingMessage>();

export function markAsPush(request: IncomingMessage): void {
  pushes.add(request);
}

/** Whether the request in hand pushes a login that is kept behind a link, and not for 60 seconds. */
export function isPushInHand(ctx: Pick<KoaContextWithOIDC, 'req'> | undefined = Provider.ctx): boolean {
  return ctx !== undefined && pushes.has(ctx.req);
}
