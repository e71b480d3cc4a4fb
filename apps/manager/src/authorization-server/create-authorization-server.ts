import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Container } from '../container.js';
import { AppError } from '../errors/app-error.js';
import { createRateLimit } from '../http/middleware/rate-limit.js';
import { createDecisionsService } from '../modules/decisions/decisions.service.js';
import { createProviderSignIn } from '../modules/identity-providers/create-provider-sign-in.js';
import { createConnectAccounts } from '../modules/services/create-service-credentials.js';
import { createCsrf } from '../modules/sign-in/csrf.js';
import { createKnownBrowser } from '../modules/sign-in/known-browser.js';
import { createSignInRoutes } from '../modules/sign-in/sign-in.routes.js';
import { createSignInService } from '../modules/sign-in/sign-in.service.js';
import { findAsset } from '../pages/assets.js';
import { loginGonePage } from '../pages/message-page.js';
import { sendPage } from '../pages/send-page.js';
import { comeBackFromSignIn, createConnectTenant } from './connect-browser.js';
import { createFrontErrors } from './front-errors.js';
import { createGoRoutes } from './go-routes.js';
import { createLoginInteractions } from './login-interactions.js';
import { pinToIssuer } from './pin-to-issuer.js';
import { createProviderRegistry } from './provider-registry.js';
import { markAsPush } from './push-in-hand.js';
import type { TenantProvider } from './tenant-provider.js';

export type AuthorizationServerParts = Pick<
  Container,
  | 'config'
  | 'clock'
  | 'logger'
  | 'rateLimits'
  | 'tenants'
  | 'tenantsService'
  | 'events'
  | 'sessions'
  | 'sealer'
  | 'guardedFetch'
  | 'publicFetch'
  | 'secrets'
  | 'loadPrivateKeys'
  | 'verifyAccessToken'
  | 'telemetry'
>;

/** A key is published before anyone is shown what it signed, and a revoked one signs nothing more, at whichever replica. */
const byKeys: ReadonlySet<string> = new Set(['/jwks', '/token']);

/** What lies below the issuers, and their metadata; mounted before any body parser. */
export function createAuthorizationServer(parts: AuthorizationServerParts): Router {
  const { config, clock, logger, rateLimits, tenants, tenantsService, sessions } = parts;
  const cookieKeys = config.cookieKeys.map((key) => key.reveal());
  const registry = createProviderRegistry({
    baseUrl: config.url,
    cookieKeys,
    tenants,
    sessions,
    clock,
    logger,
    loadPrivateKeys: parts.loadPrivateKeys,
    verifyAccessToken: parts.verifyAccessToken,
    historyDays: config.historyDays,
    pushesPerNetwork: rateLimits.create('login-pushes', { points: 60, windowSeconds: 60 }),
    tenantName: (tenantId) =>
      tenantsService.get(tenantId).then(
        (tenant) => tenant.displayName,
        () => tenantId,
      ),
  });
  const authorizations = rateLimits.create('authorizations', { points: 120, windowSeconds: 60 });
  // Of a whole network, and far above what its logins need: somebody else's failures must not use it up.
  const tokens = rateLimits.create('tokens', { points: 3_000, windowSeconds: 60 });
  const csrf = createCsrf({ keys: cookieKeys, origin: new URL(config.url).origin });
  const go = createGoRoutes(csrf);
  const identityProviders = createProviderSignIn(parts);
  const decisions = createDecisionsService({ sessions, clock, telemetry: parts.telemetry });
  const connectAccounts = createConnectAccounts({ ...parts, decisions, csrf });
  const signIn = createSignInRoutes({
    signIn: createSignInService(rateLimits, parts.telemetry),
    csrf,
    knownBrowserOf: (issuer) => createKnownBrowser({ keys: cookieKeys, issuer }),
    identityProviders,
  });

  /** Hands the request to its tenant, pinned to the issuer. */
  const forTenant =
    (serve: (tenant: TenantProvider, request: Request, response: Response) => unknown): RequestHandler =>
    async (request, response) => {
      const tenant = await registry.find(String(request.params['tenant']), { fresh: byKeys.has(request.path) });
      await serve(tenant, request, response);
    };

  /** oidc-provider, at a path of its own. */
  function provide(tenant: TenantProvider, request: Request, response: Response, path: string): Promise<void> {
    pinToIssuer(request, tenant.context.issuer, path);
    return tenant.handle(request, response);
  }

  const below = Router({ mergeParams: true, caseSensitive: true, strict: true });
  below.get('/assets/:file', serveAsset);
  below.all(
    '/go/:id',
    forTenant((tenant, request, response) => {
      pinToIssuer(request, tenant.context.issuer);
      return go(tenant, request, response);
    }),
  );
  below.post(
    '/go',
    forTenant((tenant, request, response) => {
      markAsPush(request);
      return provide(tenant, request, response, '/request');
    }),
  );
  below.all(
    '/interaction/:uid',
    forTenant((tenant, request, response) => {
      pinToIssuer(request, tenant.context.issuer);
      return signIn.handle(createLoginInteractions(tenant), request, response);
    }),
  );
  below.get(
    '/interaction/:uid/came-back',
    forTenant((tenant, request, response) => {
      pinToIssuer(request, tenant.context.issuer);
      return identityProviders.finish(createLoginInteractions(tenant), request, response);
    }),
  );
  below.get(
    '/sign-in/callback/:provider',
    forTenant(({ context, site }, request, response) =>
      identityProviders.comeBack({ tenantId: context.tenantId, site, db: context.db }, request, response),
    ),
  );
  below.all(
    '/connect/:link',
    forTenant((tenant, request, response) => {
      pinToIssuer(request, tenant.context.issuer);
      return connectAccounts.link(createConnectTenant(tenant), request, response);
    }),
  );
  below.get(
    '/connect/callback/:service',
    forTenant((tenant, request, response) => connectAccounts.comeBack(createConnectTenant(tenant), request, response)),
  );
  below.get(
    '/connect/signed-in/:uid',
    forTenant((tenant, request, response) => {
      pinToIssuer(request, tenant.context.issuer);
      return comeBackFromSignIn(tenant, request, response);
    }),
  );
  below.get(
    '/completion',
    forTenant((tenant, _request, response) => sendPage(response, tenant.site, loginGonePage)),
  );
  below.use(exactPaths);
  // Each writes a row.
  below.get('/auth', createRateLimit(authorizations));
  below.post(['/token', '/introspection', '/revocation', '/request'], createRateLimit(tokens));
  below.use(forTenant((tenant, request, response) => provide(tenant, request, response, request.url)));

  const router = Router({ caseSensitive: true });
  for (const document of ['oauth-authorization-server', 'openid-configuration']) {
    const inserted: RequestHandler = forTenant((tenant, request, response) =>
      provide(tenant, request, response, `/.well-known/${document}`),
    );
    router.all(`/.well-known/${document}/t/:tenant`, inserted);
  }
  router.use('/t/:tenant', below);
  router.use(['/t/:tenant', '/.well-known'], createFrontErrors(config.url, logger));
  return router;
}

/** oidc-provider's router takes any case and a slash at the end: what stands before it, the limits above all, does not. */
const exactPaths: RequestHandler = (request, _response, next) => {
  const [, endpoint = ''] = request.path.split('/');
  if (endpoint === endpoint.toLowerCase() && !/.\/$/.test(request.path)) return next();
  throw new AppError('not_found', 'an endpoint has one spelling');
};

const serveAsset: RequestHandler = (request, response, next) => {
  const asset = findAsset(String(request.params['file']));
  if (!asset) return next();
  response.set({
    'Content-Type': asset.type,
    'Cache-Control': 'public, max-age=31536000, immutable',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  response.end(asset.content);
};
