import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Csrf {
  /** For a hidden field; good for this purpose only. `purpose` must hold what no other site can know of this browser. */
  tokenFor(purpose: string): string;
  /** Whether a form of ours was sent: by its token, and by what the browser says of where it came from. */
  isGenuine(request: IncomingMessage, purpose: string, token: unknown): boolean;
}

export function createCsrf({ keys, origin }: { readonly keys: readonly string[]; readonly origin: string }): Csrf {
  const sign = (key: string, purpose: string) => createHmac('sha256', key).update(`csrf/${purpose}`).digest();
  return {
    tokenFor: (purpose) => sign(keys[0] ?? '', purpose).toString('base64url'),
    isGenuine(request, purpose, token) {
      if (!isFromHere(request, origin) || typeof token !== 'string') return false;
      const presented = Buffer.from(token, 'base64url');
      return keys.some((key) => presented.length === 32 && timingSafeEqual(presented, sign(key, purpose)));
    },
  };
}

/** With `Referrer-Policy: no-referrer` browsers send `Origin: null` with our own forms: Sec-Fetch-Site tells those apart. */
function isFromHere({ headers }: IncomingMessage, own: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return headers.origin === undefined || headers.origin === 'null' || headers.origin === own;
}
