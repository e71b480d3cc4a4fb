import { decodeJwt } from 'jose';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { AppError } from '../errors/app-error.js';
import { networkOf } from '../http/middleware/rate-limit.js';
import type { RateLimit } from '../ports/rate-limits.js';
import { applicationOf, completionUriOf } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { floodBucketOf } from './flood-bucket.js';
import { isPushInHand } from './push-in-hand.js';
import { keepPushedLogin, trimPushedLogins } from './pushed-logins.js';
import type { TenantContext } from './tenant-context.js';

/** How many pushes pass between two looks at the bound, in this process and tenant. */
const trimEvery = 100;

/** Koa middleware in front of oidc-provider: what was pushed and found valid is kept, and answered with its link. */
export function createPushLogin(context: TenantContext, perNetwork: RateLimit) {
  let pushed = 0;
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (!isPushInHand(ctx) || ctx.status !== 201) return;
    const { client, entities } = ctx.oidc;
    const request = entities.PushedAuthorizationRequest?.request;
    if (!client || request === undefined) throw new Error('a push was answered without its request');
    const { iss: _iss, aud: _aud, exp: _exp, nbf: _nbf, iat: _iat, ...parameters } = decodeJwt(request);
    const onPage = parameters['response_mode'] === 'oob';
    if (typeof parameters['mcp_session'] !== 'string' || !(onPage || endsOnLoopback(parameters, context.issuer))) {
      const how = 'on the completion page (response_mode oob) or at http on a loopback address';
      return refuse(ctx, 400, 'invalid_request', `mcp_session must be given, and the login must end ${how}`);
    }
    // Anyone may speak for a public client: what it says of itself limits nobody but the network that says it.
    const isAnyones = client.clientAuthMethod === 'none';
    if (isAnyones) parameters['client_address'] = ctx.ip;
    const bucket = isAnyones ? networkOf(ctx.ip) : floodBucketOf(parameters['client_address']);
    if (JSON.stringify(parameters).includes('\\u0000')) {
      return refuse(ctx, 400, 'invalid_request', 'a parameter has a NUL character');
    }
    const application = applicationOf(client);
    try {
      if (bucket !== '') await perNetwork.consume(`${context.tenantId}/${application.id}/${bucket}`);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error;
      ctx.set(error.headers);
      return refuse(ctx, 429, 'temporarily_unavailable', 'too many logins were asked for from this network');
    }
    const db = await context.db();
    const id = await keepPushedLogin(db, application.id, { parameters, bucket });
    if (++pushed % trimEvery === 0) await trimPushedLogins(db, application.id);
    ctx.body = {
      authorization_url: `${context.issuer}/go/${id}`,
      expires_in: lifetimes.pushedLogin,
      audience: application.resource,
      ...(onPage && takesPastedToken(client) && { paste_token: true }),
    };
  };
}

/** Whether the completion page of this client offers the JWT: it is bound with a secret, which a public client has not. */
export function takesPastedToken(client: Client): boolean {
  return applicationOf(client).pasteToken && client.clientAuthMethod !== 'none';
}

/** RFC 8252 sections 7.3 and 8.3: the address itself, since a name may lead elsewhere. Our own page there takes no code. */
function endsOnLoopback(parameters: Record<string, unknown>, issuer: string): boolean {
  const { response_mode: mode, redirect_uri: redirectUri } = parameters;
  if ((mode !== undefined && mode !== 'query') || redirectUri === completionUriOf(issuer)) return false;
  const url = typeof redirectUri === 'string' ? URL.parse(redirectUri) : null;
  return url?.protocol === 'http:' && (url.hostname === '127.0.0.1' || url.hostname === '[::1]');
}

function refuse(ctx: KoaContextWithOIDC, status: number, error: string, description: string): void {
  ctx.status = status;
  ctx.body = { error, error_description: description };
}
