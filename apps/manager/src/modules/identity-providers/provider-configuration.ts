import { LRUCache } from 'lru-cache';
import * as openid from 'openid-client';
import type { Clock } from '../../ports/clock.js';
import { FetchRefused, type GuardedFetch } from '../../ports/guarded-fetch.js';
import type { Secret } from '../../config/secret.js';
import type { IdentityProvider } from './identity-provider.js';
import { ProviderFailure, toProviderFailure } from './provider-failure.js';

export interface ProviderConfigurations {
  /** openid-client's view of a provider, good until `deadline`. ProviderFailure where it cannot be had. */
  of(provider: IdentityProvider, secret: Secret | undefined, deadline: AbortSignal): Promise<openid.Configuration>;
  /** Keeps the provider's keys for the next login; after a failure nothing of it is kept. */
  settle(provider: IdentityProvider, configuration: openid.Configuration, succeeded: boolean): void;
}

export interface ProviderConfigurationsOptions {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly allowHttp: boolean;
}

const metadataMs = 10 * 60_000;
const keysMs = 5 * 60_000;
/** openid-client looks for a key that it does not know again only in sets of this age: so rotation works at any time. */
const keysSeemAgedSeconds = 60;
const requestSeconds = 5;

/** Algorithms with a public key: never `none`, and no HMAC under a secret that the provider's operators know. */
const algorithms = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]);

interface KeptKeys {
  readonly jwks: openid.JWKS;
  readonly fetchedAt: number;
}

export function createProviderConfigurations(options: ProviderConfigurationsOptions): ProviderConfigurations {
  const { clock, allowHttp } = options;
  const discovered = new LRUCache<string, { metadata: openid.ServerMetadata; at: number }>({ max: 500 });
  const keys = new LRUCache<string, KeptKeys>({ max: 500 });
  const insecure = allowHttp ? [openid.allowInsecureRequests] : [];

  async function discover(provider: IdentityProvider, deadline: AbortSignal): Promise<openid.ServerMetadata> {
    const kept = discovered.get(provider.issuer);
    if (kept && clock.monotonic() - kept.at < metadataMs) return kept.metadata;
    const url = new URL(provider.issuer);
    try {
      const found = await openid.discovery(url, provider.clientId, undefined, undefined, {
        [openid.customFetch]: toCustomFetch(options.fetch, deadline, () => 'discovery'),
        execute: insecure,
        timeout: requestSeconds,
      });
      const metadata = structuredClone({ ...found.serverMetadata() }) as openid.ServerMetadata;
      delete (metadata as Record<string, unknown>)['supportsPKCE'];
      assertUsable(provider, metadata, allowHttp);
      discovered.set(provider.issuer, { metadata, at: clock.monotonic() });
      return metadata;
    } catch (error) {
      const failure = toProviderFailure(error);
      if (failure.check.startsWith('discovery.')) throw failure;
      throw new ProviderFailure(`discovery.${failure.check.split('.').at(-1)}`, failure.message, {
        cause: failure.cause,
      });
    }
  }

  return {
    async of(provider, secret, deadline) {
      const metadata = provider.kind === 'oidc' ? await discover(provider, deadline) : staticMetadata(provider);
      const configuration = new openid.Configuration(
        {
          ...metadata,
          id_token_signing_alg_values_supported: (metadata.id_token_signing_alg_values_supported ?? ['RS256']).filter(
            (algorithm) => algorithms.has(algorithm),
          ),
        },
        provider.clientId,
        { [openid.clockTolerance]: 30 },
        authenticationOf(provider, metadata, secret),
      );
      configuration[openid.customFetch] = toCustomFetch(options.fetch, deadline, (url) => endpointOf(metadata, url));
      configuration.timeout = requestSeconds;
      if (allowHttp) openid.allowInsecureRequests(configuration);
      if (provider.kind === 'oidc') {
        openid.enableNonRepudiationChecks(configuration);
        const kept = keys.get(provider.issuer);
        if (kept && clock.monotonic() - kept.fetchedAt < keysMs) {
          const uat = Math.floor(Date.now() / 1000) - keysSeemAgedSeconds;
          openid.setJwksCache(configuration, { jwks: kept.jwks, uat });
        }
      }
      return configuration;
    },

    settle({ issuer }, configuration, succeeded) {
      if (!succeeded) {
        discovered.delete(issuer);
        keys.delete(issuer);
        return;
      }
      const found = openid.getJwksCache(configuration);
      const kept = keys.get(issuer);
      if (!found || kept?.jwks === found.jwks) return;
      const unchanged = kept && JSON.stringify(kept.jwks) === JSON.stringify(found.jwks);
      const fetchedAt = unchanged ? kept.fetchedAt : clock.monotonic();
      keys.set(issuer, { jwks: found.jwks, fetchedAt });
    },
  };
}

function assertUsable({ issuer }: IdentityProvider, metadata: openid.ServerMetadata, allowHttp: boolean): void {
  if (metadata.issuer !== issuer) {
    throw new ProviderFailure(
      'discovery.issuer',
      'the issuer in the metadata is not, letter by letter, the configured one',
    );
  }
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const url = URL.parse(String(metadata[name]));
    const protocols = allowHttp ? ['https:', 'http:'] : ['https:'];
    if (!url || !protocols.includes(url.protocol)) {
      throw new ProviderFailure(`discovery.${name}`, `the metadata has no ${name} that can be used`);
    }
  }
}

/** OAuth2 has no discovery. PKCE is sent in any case; saying so keeps openid-client from a `state` of its own. */
function staticMetadata({ issuer, settings }: IdentityProvider): openid.ServerMetadata {
  if (!settings.oauth2) throw new ProviderFailure('settings.oauth2', 'the provider has no endpoints');
  const { authorization_endpoint, token_endpoint, userinfo_endpoint } = settings.oauth2;
  return {
    issuer,
    authorization_endpoint,
    token_endpoint,
    userinfo_endpoint,
    code_challenge_methods_supported: ['S256'],
  };
}

function authenticationOf(
  { settings }: IdentityProvider,
  metadata: openid.ServerMetadata,
  secret: Secret | undefined,
): openid.ClientAuth {
  const supported = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const preferred = supported.includes('client_secret_basic') ? 'client_secret_basic' : 'client_secret_post';
  const method = settings.token_endpoint_auth_method ?? preferred;
  if (!secret || method === 'none') return openid.None();
  return method === 'client_secret_basic'
    ? openid.ClientSecretBasic(secret.reveal())
    : openid.ClientSecretPost(secret.reveal());
}

function toCustomFetch(
  fetch: GuardedFetch,
  deadline: AbortSignal,
  nameOf: (url: string) => string,
): openid.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    try {
      return await fetch(url, {
        method: method === 'POST' ? 'POST' : 'GET',
        headers: { ...headers, 'user-agent': 'authsec' },
        ...(body !== undefined && body !== null && { body: (body as URLSearchParams).toString() }),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
    } catch (error) {
      if (!(error instanceof FetchRefused)) throw error;
      const reason = error.reason === 'aborted' ? 'timeout' : error.reason;
      throw new ProviderFailure(`${nameOf(url)}.${reason}`, error.message, { cause: error });
    }
  };
}

function endpointOf(metadata: openid.ServerMetadata, url: string): string {
  const names = ['token_endpoint', 'userinfo_endpoint', 'jwks_uri'] as const;
  return names.find((name) => metadata[name] === url) ?? 'endpoint';
}
