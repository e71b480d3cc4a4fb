import type { Request } from 'express';

/**
 * Makes the request one to the issuer, whatever its headers, its request target or the spelling of its path say:
 * oidc-provider derives the URLs in its answers from them. `path` begins below the issuer.
 */
export function pinToIssuer(request: Request, issuer: string, path: string = request.url): void {
  const { host, protocol, pathname } = new URL(issuer);
  const scheme = protocol.slice(0, -1);
  const below = path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/');
  request.headers.host = host;
  request.headers['x-forwarded-host'] = host;
  request.headers['x-forwarded-proto'] = scheme;
  request.headers['x-forwarded-for'] = request.ip ?? '';
  delete request.headers['forwarded'];
  request.url = below;
  request.baseUrl = pathname;
  request.originalUrl = pathname + below;
}
