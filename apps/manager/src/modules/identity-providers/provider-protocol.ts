import * as openid from 'openid-client';
import { Strategy } from 'openid-client/passport';
import passport from 'passport';
import type { IdentityProvider } from './identity-provider.js';
import { ProviderFailure, toProviderFailure } from './provider-failure.js';

export type ProviderTokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

/** What the Strategy must find again when the browser comes back: `state`, nonce and PKCE verifier. */
export type ProtocolSession = Record<string, unknown>;

export interface ProtocolStep {
  readonly tenantId: string;
  readonly provider: IdentityProvider;
  readonly configuration: openid.Configuration;
  readonly callbackUrl: string;
}

/** Where the browser is sent, and what is to be kept until it comes back. */
export async function beginAtProvider(
  step: ProtocolStep,
  { state, loginHint }: { readonly state: string; readonly loginHint: string | undefined },
): Promise<{ readonly url: string; readonly session: ProtocolSession }> {
  const session: ProtocolSession = {};
  const parameters = new URLSearchParams({ state });
  if (step.provider.kind === 'oidc') parameters.set('nonce', openid.randomNonce());
  if (loginHint !== undefined) parameters.set('login_hint', loginHint);
  const outcome = await run(createStrategy(step, { parameters }), session);
  if (!('url' in outcome)) throw new ProviderFailure('settings.request', 'the request could not be made');
  return { url: outcome.url, session };
}

/** The tokens, every check of the answer passed. 'denied' where the person refused there. ProviderFailure. */
export async function completeAtProvider(
  step: ProtocolStep,
  { query, session }: { readonly query: string; readonly session: ProtocolSession },
): Promise<ProviderTokens | 'denied'> {
  const outcome = await run(createStrategy(step, { query }), session);
  if ('tokens' in outcome) return outcome.tokens;
  if ('failed' in outcome && outcome.failed === 'access_denied') return 'denied';
  throw new ProviderFailure('authorization_response.state', 'what was begun and what came back do not belong together');
}

type Direction = { readonly parameters: URLSearchParams } | { readonly query: string };
type Outcome =
  { readonly url: string } | { readonly tokens: ProviderTokens } | { readonly failed: 'access_denied' | undefined };

/** What the Strategy sees of a request: the attempt's own store and nothing of the browser's. */
interface StrategyRequest {
  readonly method: 'GET';
  session: ProtocolSession;
}

/** One a step: name, store and callback are this tenant's and this provider's, and it begins only when told to. */
function createStrategy(step: ProtocolStep, direction: Direction): Strategy {
  const { tenantId, provider, configuration, callbackUrl } = step;
  class ProviderStrategy extends Strategy {
    override authorizationRequestParams(): URLSearchParams {
      return 'parameters' in direction ? direction.parameters : new URLSearchParams();
    }
    override currentUrl(): URL {
      return new URL('query' in direction ? `${callbackUrl}${direction.query}` : callbackUrl);
    }
    override shouldInitiateAuthRequest(): boolean {
      return 'parameters' in direction;
    }
  }
  const scope = provider.settings.scope ?? (provider.kind === 'oidc' ? 'openid email profile' : undefined);
  return new ProviderStrategy(
    {
      config: configuration,
      name: `${tenantId}:${provider.id}`,
      sessionKey: `${provider.kind}:${tenantId}:${provider.id}`,
      callbackURL: callbackUrl,
      ...(scope !== undefined && scope !== '' && { scope }),
    },
    (tokens, verified) => verified(null, tokens),
  );
}

function run(strategy: Strategy, session: ProtocolSession): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const request: StrategyRequest = { method: 'GET', session };
    const response = {
      setHeader: (name: string, value: string) => void (name === 'Location' && resolve({ url: value })),
      end: () => {},
    };
    const authenticator = new passport.Passport().use(strategy);
    const finish = (error: unknown, tokens: unknown, info: unknown) => {
      if (error) reject(toProviderFailure(error));
      else if (tokens) resolve({ tokens: tokens as ProviderTokens });
      else resolve({ failed: reasonOf(info) });
    };
    const authenticate = authenticator.authenticate(strategy.name, { session: false }, finish) as Middleware;
    authenticate(request, response, (error) => reject(toProviderFailure(error ?? new Error('no answer was made'))));
  });
}

type Middleware = (request: unknown, response: unknown, next: (error?: unknown) => void) => void;

/** The Strategy fails, rather than erring, for `access_denied`; there the answer's own parameters are among the info. */
function reasonOf(info: unknown): 'access_denied' | undefined {
  const error: unknown = typeof info === 'object' && info !== null ? Reflect.get(info, 'error') : undefined;
  return error === 'access_denied' ? 'access_denied' : undefined;
}
