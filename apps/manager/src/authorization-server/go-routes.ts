import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { UnsecuredJWT } from 'jose';
import { AppError } from '../errors/app-error.js';
import type { Csrf } from '../modules/sign-in/csrf.js';
import { readForm } from '../modules/sign-in/form-body.js';
import { readCookie } from '../modules/sign-in/read-cookie.js';
import { continuePage } from '../pages/continue-page.js';
import { goPage } from '../pages/go-page.js';
import type { LoginRequest } from '../pages/login-request.js';
import { messagePage } from '../pages/message-page.js';
import { sendPage } from '../pages/send-page.js';
import { lifetimes } from './lifetimes.js';
import { findPushedLogin, takePushedLogin, type PushedLogin } from './pushed-logins.js';
import type { TenantProvider } from './tenant-provider.js';

const gonePage = messagePage({
  status: 410,
  title: 'This link does not work any more',
  text: 'It was used, or is older than ten minutes. Ask the assistant for a new one.',
});

const requestUriPrefix = 'urn:ietf:params:oauth:request_uri:';

/** The link that an in-band login begins with: GET shows and changes nothing (previewers), the POST of its button uses it up. */
export function createGoRoutes(csrf: Csrf) {
  return async ({ context, provider, site }: TenantProvider, request: Request, response: Response): Promise<void> => {
    const id = String(request.params['id']);
    const db = await context.db();
    const pending = await findPushedLogin(db, id);
    if (!pending) return sendPage(response, site, gonePage);
    const cookie = cookieOf(site.issuer, id);
    if (request.method === 'GET' || request.method === 'HEAD') return show();
    if (request.method !== 'POST') throw new AppError('method_not_allowed', 'neither GET nor POST');
    const form = await readForm(request, response);
    const browser = readCookie(request, cookie.name);
    const genuine = browser && csrf.isGenuine(request, purposeOf(site.issuer, id, browser), form.get('csrf'));
    if (!genuine) return show(403);
    const taken = await takePushedLogin(db, id);
    sendPage(response, site, taken ? continuePage(await toAuthorization(taken)) : gonePage);

    function show(status = 200): void {
      const nonce = readCookie(request, cookie.name) ?? randomBytes(16).toString('base64url');
      response.cookie(cookie.name, nonce, cookie.options);
      const page = goPage(site, describe(pending as PushedLogin), csrf.tokenFor(purposeOf(site.issuer, id, nonce)));
      sendPage(response, site, { ...page, status });
    }

    async function toAuthorization({ clientId, request: kept, createdAt }: PushedLogin): Promise<string> {
      const requestedAt = Math.floor(createdAt.getTime() / 1000);
      const jwt = new UnsecuredJWT({ ...kept.parameters, requested_at: String(requestedAt) })
        .setIssuer(clientId)
        .setAudience(site.issuer)
        .setIssuedAt()
        .setNotBefore('0s')
        .setExpirationTime(`${lifetimes.pushedRequest}s`)
        .encode();
      // Its client was authenticated when it pushed.
      const pushed = new provider.PushedAuthorizationRequest({ request: jwt, trusted: true } as { request: string });
      const requestUri = `${requestUriPrefix}${await pushed.save(lifetimes.pushedRequest)}`;
      const query = new URLSearchParams({ client_id: clientId, request_uri: requestUri });
      return `${site.issuer}/auth?${query.toString()}`;
    }
  };
}

function describe({ applicationName, request, createdAt }: PushedLogin): LoginRequest {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    applicationName,
    reportedName: text(request.parameters['client_name']),
    reportedAddress: text(request.parameters['client_address']),
    requestedAt: createdAt,
  };
}

/** Who sent the link knows its id: the browser's own cookie is what a foreign form cannot bring. */
function purposeOf(issuer: string, id: string, browser: string): string {
  return `${issuer}/go/${id}/${browser}`;
}

function cookieOf(issuer: string, id: string) {
  const { protocol, pathname } = new URL(issuer);
  const secure = protocol === 'https:';
  const options = {
    path: `${pathname}/go/${encodeURIComponent(id)}`,
    httpOnly: true,
    secure,
    sameSite: 'lax' as const,
    maxAge: lifetimes.pushedLogin * 1000,
  };
  return { name: `${secure ? '__Secure-' : ''}authsec_go`, options };
}
