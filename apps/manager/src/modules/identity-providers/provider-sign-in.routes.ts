import type { Request, Response } from 'express';
import type { RateLimit } from '../../ports/rate-limits.js';
import { addressOf } from '../../http/middleware/rate-limit.js';
import { requestIdOf } from '../../http/middleware/request-id.js';
import { AppError } from '../../errors/app-error.js';
import { continuePage } from '../../pages/continue-page.js';
import { deniedPage, notAdmittedPage, providerFailedPage, stepSpentPage } from '../../pages/identity-provider-pages.js';
import { messagePage } from '../../pages/message-page.js';
import type { Page, Site } from '../../pages/page.js';
import { sendPage } from '../../pages/send-page.js';
import type { LoginInteractions } from '../sign-in/login-interactions.js';
import { readCookie } from '../sign-in/read-cookie.js';
import type { LinkService } from './link-identity.service.js';
import type { AttemptToBegin } from './begin-sign-in.js';
import type { ProviderSignInService } from './provider-sign-in.service.js';
import type { SignInContext } from './provider-steps.js';

export interface ProviderSignInRoutesOptions {
  readonly providers: ProviderSignInService;
  readonly links: LinkService;
  readonly perNetwork: RateLimit;
}

interface TenantRequest {
  readonly tenantId: string;
  readonly site: Site;
  db(): Promise<SignInContext['db']>;
}

export interface ProviderSignInRoutes {
  /** The page that sends the browser to a provider, after a form of ours asked for it. */
  begin(tenant: TenantRequest, request: Request, response: Response, attempt: AttemptToBegin): Promise<Page>;
  /** GET `<issuer>/sign-in/callback/<provider>`. */
  comeBack(tenant: TenantRequest, request: Request, response: Response): Promise<void>;
  /** GET `<issuer>/interaction/<id>/came-back`: below the interaction, since only there the browser brings its cookie. */
  finish(interactions: LoginInteractions, request: Request, response: Response): Promise<void>;
}

export function createProviderSignInRoutes(options: ProviderSignInRoutesOptions): ProviderSignInRoutes {
  const { providers, links, perNetwork } = options;
  /** A form is answered with a page. */
  async function overLimit(request: Request): Promise<Page | undefined> {
    try {
      await perNetwork.consume(addressOf(request));
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
      const text = 'From your network there were too many sign-ins. Wait a minute, then try again.';
      return messagePage({ status: 429, title: 'Too many requests', text, headers: error.headers });
    }
  }

  return {
    async begin(tenant, request, response, attempt) {
      const limited = await overLimit(request);
      if (limited) return limited;
      const begun = await providers.begin(await contextOf(tenant, response), attempt);
      if ('unavailable' in begun)
        return providerFailedPage(begun.unavailable, loginUrl(tenant.site, attempt.interactionId));
      const { cookie, callbackUrl } = begun;
      const { protocol, pathname } = new URL(callbackUrl);
      response.cookie(securedName(cookie.name, protocol), cookie.value, {
        path: pathname,
        httpOnly: true,
        secure: protocol === 'https:',
        sameSite: 'lax',
        maxAge: cookie.maxAgeMs,
      });
      return continuePage(begun.url);
    },

    async comeBack(tenant, request, response) {
      const { site } = tenant;
      const { protocol } = new URL(site.issuer);
      const { search } = new URL(request.originalUrl, site.issuer);
      const end = await providers.comeBack(await contextOf(tenant, response), {
        providerId: String(request.params['provider']),
        query: search,
        cookieOf: (name) => readCookie(request, securedName(name, protocol)),
      });
      const backTo = end.interactionId === undefined ? undefined : loginUrl(site, end.interactionId);
      switch (end.outcome) {
        case 'came':
          response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
          return response.redirect(303, `${loginUrl(site, end.interactionId)}/came-back?result=${end.result}`);
        case 'denied':
          return sendPage(response, site, deniedPage(end.providerName, backTo));
        case 'failed':
          return sendPage(response, site, providerFailedPage(end.providerName, backTo));
        case 'not_admitted':
          return sendPage(response, site, notAdmittedPage(site.tenantName, end.providerName, backTo));
        case 'spent':
          return sendPage(response, site, stepSpentPage(backTo));
      }
    },

    async finish(interactions, request, response) {
      const { site } = interactions;
      const login = await interactions.find(request, response);
      if (!login) return sendPage(response, site, stepSpentPage(undefined));
      const context = await contextOf(interactions, response);
      const { result } = request.query;
      const came =
        typeof result === 'string' ? await providers.take(context, { interactionId: login.id, result }) : undefined;
      if (!came) return sendPage(response, site, stepSpentPage(loginUrl(site, login.id)));
      if (came.link) {
        // Only who asked for it, and is still signed in, gets it.
        const here = [login.userId, await interactions.personNow(request, response)];
        const approving = login.step === 'approval' && here.every((userId) => userId === came.userId);
        const added = approving && (await links.link(context, came.userId, came.link));
        return added
          ? goOn(loginUrl(site, login.id))
          : sendPage(response, site, stepSpentPage(loginUrl(site, login.id)));
      }
      if (login.step !== 'sign-in') return goOn(loginUrl(site, login.id));
      return goOn(await interactions.signedIn(request, response, came.userId, []));

      function goOn(url: string): void {
        response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
        response.redirect(303, url);
      }
    },
  };
}

async function contextOf({ tenantId, site, db }: TenantRequest, response: Response): Promise<SignInContext> {
  return { tenantId, issuer: site.issuer, db: await db(), requestId: requestIdOf(response) };
}

function loginUrl({ issuer }: Site, interactionId: string): string {
  return `${issuer}/interaction/${encodeURIComponent(interactionId)}`;
}

function securedName(name: string, protocol: string): string {
  return protocol === 'https:' ? `__Secure-${name}` : name;
}
