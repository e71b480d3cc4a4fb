import type { AdapterFactory, AuthorizationCode, Client, Configuration, JWKS, KoaContextWithOIDC } from 'oidc-provider';
import { createExtraTokenClaims, finishAccessToken, loginOf } from './access-token-claims.js';
import { createFindAccount } from './accounts.js';
import { createClientAssertionCheck } from './client-assertions.js';
import { applicationProperty } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { createLoginGrants } from './login-grants.js';
import { createLoginPolicy } from './login-policy.js';
import { renderProviderError } from './provider-pages.js';
import { requestParameters } from './request-parameters.js';
import { createResourceIndicators } from './resource-servers.js';
import { loginScope, openidScope } from './scopes.js';
import type { TenantContext } from './tenant-context.js';

export interface ConfigurationOptions {
  readonly context: TenantContext;
  readonly adapter: AdapterFactory;
  /** Private; the one that signs first. */
  readonly jwks: JWKS;
  readonly cookieKeys: readonly string[];
}

/** Everything of oidc-provider that has a development default is said here. */
export function createProviderConfiguration({
  context,
  adapter,
  jwks,
  cookieKeys,
}: ConfigurationOptions): Configuration {
  const { issuer } = context;
  return {
    adapter,
    jwks,
    cookies: createCookies(issuer, cookieKeys),
    routes: {
      authorization: '/auth',
      token: '/token',
      jwks: '/jwks',
      pushed_authorization_request: '/request',
      revocation: '/revocation',
      introspection: '/introspection',
      end_session: '/session/end',
    },
    scopes: [openidScope, loginScope],
    claims: { openid: ['sub'], acr: null, auth_time: null, iss: null },
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'none'],
    clientDefaults: {
      grant_types: [],
      response_types: [],
      response_modes: ['query'],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
    assertJwtClientAuthClaimsAndHeader: createClientAssertionCheck(context),
    extraClientMetadata: { properties: [applicationProperty] },
    extraParams: requestParameters,
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'EdDSA', 'PS256'],
      idTokenSigningAlgValues: ['ES256'],
      requestObjectSigningAlgValues: ['ES256'],
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      dPoP: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      claimsParameter: { enabled: false },
      requestObjects: { enabled: false },
      registration: { enabled: false },
      deviceFlow: { enabled: false },
      backchannelLogout: { enabled: false },
      clientCredentials: { enabled: true },
      pushedAuthorizationRequests: { enabled: true, allowUnregisteredRedirectUris: false },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => isOwn(client, token.clientId) },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
      resourceIndicators: createResourceIndicators(context),
    },
    interactions: {
      policy: createLoginPolicy(context),
      url: (_ctx, interaction) => `${new URL(issuer).pathname}/interaction/${interaction.uid}`,
    },
    findAccount: createFindAccount(context),
    loadExistingGrant: createLoginGrants(context),
    extraTokenClaims: createExtraTokenClaims(context),
    formats: { customizers: { jwt: finishAccessToken } },
    expiresWithSession: () => false,
    // In-band, only a public client needs one: it has no other way to a new token for its session.
    issueRefreshToken: (ctx, client) =>
      client.grantTypeAllowed('refresh_token') &&
      (client.clientAuthMethod === 'none' || loginOf(ctx)?.mcpSession === null),
    // RFC 9700: public clients rotate. Confidential ones do not: a lost answer would end the login.
    rotateRefreshToken: (ctx) => ctx.oidc.client?.clientAuthMethod === 'none',
    revokeGrantPolicy: () => true,
    clientBasedCORS: () => false,
    acceptQueryParamAccessTokens: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    enableHttpPostMethods: false,
    conformIdTokenClaims: true,
    clockTolerance: 5,
    renderError: renderProviderError,
    ttl: {
      AccessToken: lifetimes.accessToken,
      AuthorizationCode: codeLifetime,
      ClientCredentials: lifetimes.accessToken,
      Grant: lifetimes.refreshableLogin,
      IdToken: lifetimes.idToken,
      Interaction: lifetimes.interaction,
      RefreshToken: lifetimes.refreshToken,
      Session: lifetimes.browserSession,
    },
    fetch: () => Promise.reject(new Error('this authorization server fetches nothing')),
  };
}

function createCookies(issuer: string, keys: readonly string[]): Configuration['cookies'] {
  const { protocol, pathname } = new URL(issuer);
  const secure = protocol === 'https:';
  const prefix = secure ? '__Secure-' : '';
  const options = { httpOnly: true, secure, sameSite: 'lax', signed: true, overwrite: true } as const;
  return {
    keys: [...keys],
    names: {
      session: `${prefix}authsec_session`,
      interaction: `${prefix}authsec_interaction`,
      resume: `${prefix}authsec_resume`,
    },
    long: { ...options, path: pathname },
    short: options,
  };
}

function codeLifetime(ctx: KoaContextWithOIDC, _code: AuthorizationCode): number {
  return ctx.oidc.responseMode === 'oob' ? lifetimes.carriedCode : lifetimes.code;
}

/** Who asks must be able to prove who it is (RFC 7662 section 2.1). */
function isOwn(client: Client, ownerClientId: string | undefined): boolean {
  return client.clientAuthMethod !== 'none' && client.clientId === ownerClientId;
}
