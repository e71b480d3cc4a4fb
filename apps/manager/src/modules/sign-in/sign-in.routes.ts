import type { Request, Response } from 'express';
import { AppError } from '../../errors/app-error.js';
import { addressOf } from '../../http/middleware/rate-limit.js';
import { approvalPage } from '../../pages/approval-page.js';
import { continuePage } from '../../pages/continue-page.js';
import { loginGonePage, messagePage } from '../../pages/message-page.js';
import type { Page } from '../../pages/page.js';
import { passwordPage, type PasswordForm } from '../../pages/password-page.js';
import { sendPage } from '../../pages/send-page.js';
import type { LinkService } from '../identity-providers/link-identity.service.js';
import type { ProviderSignInRoutes } from '../identity-providers/provider-sign-in.routes.js';
import type { ProviderSignInService } from '../identity-providers/provider-sign-in.service.js';
import type { Csrf } from './csrf.js';
import { readForm } from './form-body.js';
import type { KnownBrowser } from './known-browser.js';
import type { LoginInteractions, PendingLogin } from './login-interactions.js';
import type { SignInService } from './sign-in.service.js';

export interface SignInRoutesOptions {
  readonly signIn: SignInService;
  readonly csrf: Csrf;
  readonly knownBrowserOf: (issuer: string) => KnownBrowser;
  readonly identityProviders: Pick<ProviderSignInRoutes, 'begin'> &
    Pick<ProviderSignInService, 'waysIn' | 'homeRealmOf'> &
    Pick<LinkService, 'offered'>;
}

export interface SignInRoutes {
  /** GET and POST of `<issuer>/interaction/<id>`. */
  handle(interactions: LoginInteractions, request: Request, response: Response): Promise<void>;
}

const wrong = 'E-mail address or password is not right.';
const noHomeRealm = 'Addresses of this domain have no sign-in of their own here. Choose another way.';

const forgedPage: Page = messagePage({
  status: 403,
  title: 'This form was not sent from here',
  text: 'Go back to the page that you came from, load it anew and try again.',
});

export function createSignInRoutes(options: SignInRoutesOptions): SignInRoutes {
  const { signIn, csrf, knownBrowserOf, identityProviders } = options;
  return {
    async handle(interactions, request, response) {
      const login = await interactions.find(request, response);
      if (!login) return sendPage(response, interactions.site, loginGonePage);
      if (request.method === 'GET' || request.method === 'HEAD') {
        return sendPage(response, interactions.site, await pageOf(interactions, login));
      }
      if (request.method !== 'POST') throw new AppError('method_not_allowed', 'neither GET nor POST');
      const form = await readForm(request, response);
      const genuine = csrf.isGenuine(request, purposeOf(interactions, login), form.get('csrf'));
      const page = genuine ? await submit(interactions, login, form, request, response) : forgedPage;
      sendPage(response, interactions.site, page);
    },
  };

  async function submit(
    interactions: LoginInteractions,
    login: PendingLogin,
    form: ReadonlyMap<string, string>,
    request: Request,
    response: Response,
  ): Promise<Page> {
    const [verb, providerId = ''] = (form.get('action') ?? '').split(':', 2);
    const begin = (attempt: { providerId: string; loginHint?: string; linkUserId?: string }) =>
      identityProviders.begin(interactions, request, response, { interactionId: login.id, ...attempt });
    switch (`${login.step}/${verb}`) {
      case 'sign-in/sign-in':
      case 'sign-in/home-realm': {
        const loginHint = form.get('email') ?? '';
        const homeRealm = await identityProviders.homeRealmOf(await interactions.db(), loginHint);
        if (homeRealm !== undefined) return begin({ providerId: homeRealm, loginHint });
        if (verb === 'sign-in') return checkPassword(interactions, login, form, request, response);
        return passwordForm(interactions, login, { email: loginHint, problem: noHomeRealm, status: 422 });
      }
      case 'sign-in/provider':
        return begin({ providerId });
      case 'approval/link':
        return login.userId === undefined
          ? pageOf(interactions, login)
          : begin({ providerId, linkUserId: login.userId });
      case 'approval/approve':
        return continuePage(await interactions.approved(request, response));
      case 'approval/switch':
        return continuePage(await interactions.signedOut(request, response));
      case 'sign-in/refuse':
      case 'approval/refuse':
        return continuePage(await interactions.refused(request, response));
      default:
        return pageOf(interactions, login);
    }
  }

  async function checkPassword(
    interactions: LoginInteractions,
    login: PendingLogin,
    form: ReadonlyMap<string, string>,
    request: Request,
    response: Response,
  ): Promise<Page> {
    const { tenantId, site } = interactions;
    const email = form.get('email') ?? '';
    const knownBrowser = knownBrowserOf(site.issuer);
    if (!(await identityProviders.waysIn(await interactions.db())).password) return pageOf(interactions, login);
    try {
      const person = await signIn.signInWithPassword({
        tenantId,
        db: await interactions.db(),
        email,
        password: form.get('password') ?? '',
        network: addressOf(request),
        knownBrowser: knownBrowser.isKnown(request, email),
      });
      if (!person) return passwordForm(interactions, login, { email, problem: wrong, status: 422 });
      knownBrowser.remember(response, email);
      return continuePage(await interactions.signedIn(request, response, person.userId));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
      const problem = `Too many attempts. ${waitFor(error)}`;
      return passwordForm(interactions, login, { email, problem, status: 429, headers: error.headers });
    }
  }

  async function pageOf(interactions: LoginInteractions, login: PendingLogin): Promise<Page> {
    const { step, userId, scopes, request, emailHint } = login;
    const asked = step === 'approval' && userId ? { db: await interactions.db(), userId } : undefined;
    const approval = asked && (await signIn.describeApproval(asked.db, asked.userId, scopes));
    if (!approval) return passwordForm(interactions, login, { email: emailHint });
    const providers = await identityProviders.offered(asked.db, asked.userId);
    const csrfToken = csrf.tokenFor(purposeOf(interactions, login));
    return approvalPage(interactions.site, { request, csrfToken, providers, ...approval });
  }

  async function passwordForm(
    interactions: LoginInteractions,
    login: PendingLogin,
    rest: Omit<PasswordForm, 'csrfToken' | 'applicationName' | 'waysIn'>,
  ): Promise<Page> {
    const csrfToken = csrf.tokenFor(purposeOf(interactions, login));
    const waysIn = await identityProviders.waysIn(await interactions.db());
    const { applicationName } = login.request;
    return passwordPage(interactions.site, { applicationName, csrfToken, waysIn, ...rest });
  }
}

/** The id of an interaction is known to the browser that began it (a cookie that other sites' forms do not bring) and to nobody else. */
function purposeOf({ site }: LoginInteractions, login: PendingLogin): string {
  return `${site.issuer}/interaction/${login.id}/${login.step}`;
}

function waitFor({ headers }: AppError): string {
  const minutes = Math.ceil(Number(headers['Retry-After'] ?? 60) / 60);
  return `Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`;
}
