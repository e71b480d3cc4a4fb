import { errors, type Client, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { apiAudienceOf } from '../authorization/issuer.js';
import { applicationOf } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { loginScope, toScopeString } from './scopes.js';
import type { TenantContext } from './tenant-context.js';

/** RFC 8707: a machine's token is for the Manager's API, a person's for the application; a client has no other choice. */
export function createResourceIndicators({ issuer, signing }: Pick<TenantContext, 'issuer' | 'signing'>) {
  const audienceFor = (ctx: KoaContextWithOIDC, client: Client) =>
    isClientCredentials(ctx) ? apiAudienceOf(issuer) : applicationOf(client).resource;

  return {
    enabled: true,
    defaultResource: (ctx: KoaContextWithOIDC, client: Client) => audienceFor(ctx, client),
    useGrantedResource: () => true,
    getResourceServerInfo(ctx: KoaContextWithOIDC, resource: string, client: Client): ResourceServer {
      const audience = audienceFor(ctx, client);
      if (!isSameUri(resource, audience)) throw new errors.InvalidTarget('this client has no access to that resource');
      return {
        audience,
        scope: isClientCredentials(ctx) ? '' : `${loginScope} ${toScopeString(applicationOf(client).scopes)}`.trim(),
        accessTokenFormat: 'jwt',
        accessTokenTTL: lifetimes.accessToken,
        jwt: { sign: { alg: signing.alg as 'ES256', kid: signing.kid } },
      };
    },
  };
}

function isClientCredentials(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route === 'token' && ctx.oidc.params?.['grant_type'] === 'client_credentials';
}

/** `https://a` and `https://a/` are the same URI; everything else counts. */
function isSameUri(left: string, right: string): boolean {
  return left === right || URL.parse(left)?.href === URL.parse(right)?.href;
}
