import type { IncomingMessage } from 'node:http';
import { decodeJwt } from 'jose';
import { Provider, type KoaContextWithOIDC } from 'oidc-provider';
import { AppError } from '../errors/app-error.js';
import { networkOf } from '../http/middleware/rate-limit.js';
import type { RateLimit } from '../ports/rate-limits.js';
import { applicationOf } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { keepPushedLogin, trimPushedLogins } from './pushed-logins.js';
import type { TenantContext } from './tenant-context.js';

/** Requests to `/go`, which go through the real endpoint of RFC 9126 for authentication and validation. */
const pushes = new WeakSet<IncomingMessage>();

export function markAsPush(request: IncomingMessage): void {
  pushes.add(request);
}

/** Whether the request in hand pushes a login that is kept behind a link, and not for 60 seconds. */
export function isPushInHand(): boolean {
  const ctx = Provider.ctx;
  return ctx !== undefined && pushes.has(ctx.req);
}

/** How many pushes pass between two looks at the bound, in this process and tenant. */
const trimEvery = 25;

/** Koa middleware in front of oidc-provider: what was pushed and found valid is kept, and answered with its link. */
export function createPushLogin(context: TenantContext, perNetwork: RateLimit) {
  let pushed = 0;
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (!pushes.has(ctx.req) || ctx.status !== 201) return;
    const { client, entities } = ctx.oidc;
    const request = entities.PushedAuthorizationRequest?.request;
    if (!client || request === undefined) throw new Error('a push was answered without its request');
    const { iss: _iss, aud: _aud, exp: _exp, nbf: _nbf, iat: _iat, ...parameters } = decodeJwt(request);
    if (parameters['response_mode'] !== 'oob' || typeof parameters['mcp_session'] !== 'string') {
      return refuse(ctx, 400, 'invalid_request', 'response_mode must be oob, and mcp_session must be given');
    }
    const address = parameters['client_address'];
    const bucket = typeof address === 'string' ? networkOf(address) : '';
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
    };
  };
}

function refuse(ctx: KoaContextWithOIDC, status: number, error: string, description: string): void {
  ctx.status = status;
  ctx.body = { error, error_description: description };
}
