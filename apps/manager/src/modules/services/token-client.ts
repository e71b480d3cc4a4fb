import * as openid from 'openid-client';
import type { ServiceSettings } from '@authsec/manager-client/contract';
import { FetchRefused } from '../../ports/guarded-fetch.js';
import { ProviderFailure, toProviderFailure } from '../identity-providers/provider-failure.js';
import type { Service } from './service.js';
import { fetchFor, type ServiceFetches } from './service-fetch.js';
import { normalizeTokenAnswer } from './token-answer.js';

export type ClientCredentialsSettings = Extract<ServiceSettings, { kind: 'oauth2_client_credentials' }>;
export type AuthorizationCodeSettings = Extract<ServiceSettings, { kind: 'oauth2_authorization_code' }>;

/** What a token endpoint gave. */
export interface ServiceTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Undefined where it did not say. */
  readonly lifetimeSeconds: number | undefined;
  readonly scope: string | undefined;
}

/** Our client at the authorization server of a service. */
export interface TokenClientOf<S> {
  readonly service: Pick<Service, 'id' | 'allowPrivateAddresses'>;
  readonly settings: S;
  readonly clientSecret: string;
  readonly signal: AbortSignal;
}

/** Steps at the authorization server of a service; they reject with ProviderFailure. */
export interface TokenClient {
  /** RFC 6749 section 4.4. */
  clientCredentials(client: TokenClientOf<ClientCredentialsSettings>): Promise<ServiceTokens>;
  /** Every check of the answer passed (RFC 6749, 7636, 9207). `answer` is the callback with its query. */
  redeem(
    client: TokenClientOf<AuthorizationCodeSettings>,
    answer: { readonly url: URL; readonly state: string; readonly verifier: string },
  ): Promise<ServiceTokens>;
  refresh(client: TokenClientOf<AuthorizationCodeSettings>, refreshToken: string): Promise<ServiceTokens>;
  /** RFC 7009; nothing where there is no endpoint for it. */
  revoke(client: TokenClientOf<AuthorizationCodeSettings>, token: string): Promise<void>;
}

export interface TokenClientOptions {
  readonly fetches: ServiceFetches;
  readonly allowHttp: boolean;
}

export function createTokenClient({ fetches, allowHttp }: TokenClientOptions): TokenClient {
  function configure(client: TokenClientOf<ClientCredentialsSettings | AuthorizationCodeSettings>) {
    const { settings, clientSecret } = client;
    const byCode = settings.kind === 'oauth2_authorization_code' ? settings : undefined;
    const configuration = new openid.Configuration(
      {
        // Without one of its own the name is ours to give: it only has to be the same in all steps.
        issuer: byCode?.issuer ?? new URL(settings.token_endpoint).origin,
        token_endpoint: settings.token_endpoint,
        ...(byCode?.revocation_endpoint !== undefined && { revocation_endpoint: byCode.revocation_endpoint }),
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: byCode?.issuer !== undefined,
      },
      settings.client_id,
      {},
      settings.token_endpoint_auth_method === 'client_secret_basic'
        ? openid.ClientSecretBasic(clientSecret)
        : openid.ClientSecretPost(clientSecret),
    );
    configuration[openid.customFetch] = toCustomFetch(client);
    if (allowHttp) openid.allowInsecureRequests(configuration);
    return configuration;
  }

  function toCustomFetch({ service, settings, signal: deadline }: Parameters<typeof configure>[0]): openid.CustomFetch {
    const fetch = fetchFor(fetches, service);
    const tokenEndpoint = new URL(settings.token_endpoint).href;
    return async (url, { method, headers, body, signal }) => {
      const atTokens = new URL(url).href === tokenEndpoint;
      try {
        const answer = await fetch(url, {
          method: method === 'POST' ? 'POST' : 'GET',
          headers: { ...headers, 'user-agent': 'authsec' },
          ...(body !== undefined && body !== null && { body: (body as URLSearchParams).toString() }),
          signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        });
        return atTokens ? await normalizeTokenAnswer(answer) : answer;
      } catch (error) {
        if (!(error instanceof FetchRefused)) throw error;
        const reason = error.reason === 'aborted' ? 'timeout' : error.reason;
        throw new ProviderFailure(`${atTokens ? 'token_endpoint' : 'revocation_endpoint'}.${reason}`, error.message);
      }
    };
  }

  return {
    clientCredentials: (client) =>
      step(async () => {
        const { scope, resource } = client.settings;
        const parameters = { ...(scope && { scope }), ...(resource && { resource }) };
        return toTokens(await openid.clientCredentialsGrant(configure(client), parameters));
      }),

    redeem: (client, { url, state, verifier }) =>
      step(async () => {
        const answer = new URL(url);
        // Nobody said what it should be.
        if (client.settings.issuer === undefined) answer.searchParams.delete('iss');
        const checks = { expectedState: state, pkceCodeVerifier: verifier };
        return toTokens(await openid.authorizationCodeGrant(configure(client), answer, checks));
      }),

    refresh: (client, refreshToken) =>
      step(async () => toTokens(await openid.refreshTokenGrant(configure(client), refreshToken))),

    revoke: (client, token) =>
      step(async () => {
        if (client.settings.revocation_endpoint !== undefined) await openid.tokenRevocation(configure(client), token);
      }),
  };
}

async function step<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What openid-client throws carries the answer.
    throw toProviderFailure(error);
  }
}

/** RFC 6750 section 2.1. */
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/;

function toTokens(answer: openid.TokenEndpointResponse): ServiceTokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetimeSeconds, scope } = answer;
  const usable = (token: string) => token.length <= 16_000 && b64token.test(token);
  if (!usable(accessToken)) throw new ProviderFailure('token_endpoint.access_token', 'no token that a header takes');
  if (refreshToken !== undefined && (refreshToken.length > 16_000 || /[^\x20-\x7e]/.test(refreshToken))) {
    throw new ProviderFailure('token_endpoint.refresh_token', 'no refresh token as of RFC 6749');
  }
  return { accessToken, refreshToken, lifetimeSeconds, scope: scope?.slice(0, 2_000) };
}
