import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { AppError } from '../../errors/app-error.js';
import { addressOf } from '../../http/middleware/rate-limit.js';
import { requestIdOf } from '../../http/middleware/request-id.js';
import {
  connectDeniedPage,
  connectedPage,
  connectFailedPage,
  connectGonePage,
  connectPage,
  connectRefusedPage,
  otherPersonPage,
} from '../../pages/connect-pages.js';
import { continuePage } from '../../pages/continue-page.js';
import { messagePage } from '../../pages/message-page.js';
import type { Page, Site } from '../../pages/page.js';
import { sendPage } from '../../pages/send-page.js';
import type { RateLimit } from '../../ports/rate-limits.js';
import type { Csrf } from '../sign-in/csrf.js';
import { readForm } from '../sign-in/form-body.js';
import { readCookie } from '../sign-in/read-cookie.js';
import type { ConnectAccount } from './connect-account.js';
import { type ConnectContext, connectSeconds, type OpenLink } from './connect-attempt.js';

/** A tenant's part of the authorization server, as connecting an account needs it. */
export interface ConnectTenant {
  readonly tenantId: string;
  readonly site: Site;
  db(): Promise<ConnectContext['db']>;
  /** Who is signed in at this browser; undefined also for somebody who has logged out since, or is gone. */
  personNow(request: Request, response: Response): Promise<string | undefined>;
  /** The URL where somebody signs in, and from there comes back to the link. */
  signIn(
    request: Request,
    response: Response,
    from: { readonly link: string; readonly clientId: string },
  ): Promise<string>;
}

export interface ConnectAccountRoutes {
  /** `<issuer>/connect/<link>`: GET shows and changes nothing. */
  link(tenant: ConnectTenant, request: Request, response: Response): Promise<void>;
  /** GET `<issuer>/connect/callback/<service>`. */
  comeBack(tenant: ConnectTenant, request: Request, response: Response): Promise<void>;
}

export interface ConnectAccountRoutesOptions {
  readonly accounts: ConnectAccount;
  readonly csrf: Csrf;
  readonly perNetwork: RateLimit;
}

export function createConnectAccountRoutes(options: ConnectAccountRoutesOptions): ConnectAccountRoutes {
  const { accounts, csrf, perNetwork } = options;

  /** Whether an answer was given: a form and a browser that comes back are answered with a page. */
  async function overLimit({ site }: ConnectTenant, request: Request, response: Response): Promise<boolean> {
    try {
      await perNetwork.consume(addressOf(request));
      return false;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
      const text = 'From your network there were too many requests. Wait a minute, then try again.';
      const page = messagePage({ status: 429, title: 'Too many requests', text, headers: error.headers });
      sendPage(response, site, page);
      return true;
    }
  }

  return {
    async link(tenant, request, response) {
      const { site } = tenant;
      if (await overLimit(tenant, request, response)) return;
      const link = String(request.params['link']);
      const context = await contextOf(tenant, response);
      const open = await accounts.find(context, link);
      if (!open) return sendPage(response, site, connectGonePage);
      const personNow = await tenant.personNow(request, response);
      const cookie = linkCookieOf(site.issuer, link);
      if (request.method === 'GET' || request.method === 'HEAD') return show();
      if (request.method !== 'POST') throw new AppError('method_not_allowed', 'neither GET nor POST');
      const form = await readForm(request, response);
      const browser = readCookie(request, cookie.name);
      const genuine = browser && csrf.isGenuine(request, purposeOf(site.issuer, link, browser), form.get('csrf'));
      if (!genuine) return show(403);
      if (form.get('action') === 'sign-in') {
        const { clientId } = open.application;
        return sendPage(response, site, continuePage(await tenant.signIn(request, response, { link, clientId })));
      }
      sendPage(response, site, await leave(context, open, { link, personNow }, response));

      async function show(status = 200): Promise<void> {
        const nonce = readCookie(request, cookie.name) ?? randomBytes(16).toString('base64url');
        response.cookie(cookie.name, nonce, cookie.options);
        const email = personNow === undefined ? undefined : await accounts.emailOf(context, personNow);
        const csrfToken = csrf.tokenFor(purposeOf(site.issuer, link, nonce));
        const isTheirs = personNow === (open as OpenLink).userId;
        const page = connectPage(site, { ...describe(open as OpenLink), email, isTheirs, csrfToken });
        sendPage(response, site, status === 200 ? page : { ...page, status });
      }
    },

    async comeBack(tenant, request, response) {
      const { site } = tenant;
      if (await overLimit(tenant, request, response)) return;
      const { protocol } = new URL(site.issuer);
      const { search } = new URL(request.originalUrl, site.issuer);
      const end = await accounts.comeBack(await contextOf(tenant, response), {
        serviceId: String(request.params['service']),
        query: search,
        cookieOf: (name) => readCookie(request, securedName(name, protocol)),
        personNow: await tenant.personNow(request, response),
      });
      sendPage(response, site, pageOf(end));
    },
  };

  async function leave(
    context: ConnectContext,
    open: OpenLink,
    from: { readonly link: string; readonly personNow: string | undefined },
    response: Response,
  ): Promise<Page> {
    const left = await accounts.leave(context, from.link, from.personNow);
    if (left === 'gone') return connectGonePage;
    if (left === 'other_person') return otherPersonPage;
    if (left === 'denied') return connectRefusedPage(open.service.name);
    const { protocol, pathname } = new URL(left.callbackUrl);
    response.cookie(securedName(left.cookie.name, protocol), left.cookie.value, {
      path: pathname,
      httpOnly: true,
      secure: protocol === 'https:',
      sameSite: 'lax',
      maxAge: left.cookie.maxAgeMs,
    });
    return continuePage(left.url);
  }
}

function pageOf(end: Awaited<ReturnType<ConnectAccount['comeBack']>>): Page {
  switch (end.outcome) {
    case 'connected':
      return connectedPage(end.serviceName);
    case 'denied':
      return connectDeniedPage(end.serviceName);
    case 'failed':
      return connectFailedPage(end.serviceName);
    case 'other_person':
      return otherPersonPage;
    case 'spent':
    default:
      return connectGonePage;
  }
}

function describe({ service, application, createdAt }: OpenLink) {
  const { settings } = service;
  const byCode = settings.kind === 'oauth2_authorization_code' ? settings : undefined;
  return {
    serviceName: service.name,
    description: service.description,
    applicationName: application.name,
    requestedAt: createdAt,
    host: byCode ? new URL(byCode.authorization_endpoint).host : '',
    scope: byCode?.scope,
    toolsSeeTokens: service.rawCredential,
  };
}

async function contextOf({ tenantId, site, db }: ConnectTenant, response: Response): Promise<ConnectContext> {
  return { tenantId, issuer: site.issuer, db: await db(), requestId: requestIdOf(response) };
}

/** Who sent the link knows it: the browser's own cookie is what a foreign form cannot bring. */
function purposeOf(issuer: string, link: string, browser: string): string {
  return `${issuer}/connect/${link}/${browser}`;
}

function linkCookieOf(issuer: string, link: string) {
  const { protocol, pathname } = new URL(issuer);
  const secure = protocol === 'https:';
  const path = `${pathname}/connect/${encodeURIComponent(link)}`;
  const options = { path, httpOnly: true, secure, sameSite: 'lax' as const, maxAge: connectSeconds * 1_000 };
  return { name: securedName('authsec_connect', protocol), options };
}

function securedName(name: string, protocol: string): string {
  return protocol === 'https:' ? `__Secure-${name}` : name;
}
