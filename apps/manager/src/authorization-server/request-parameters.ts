import { isIP } from 'node:net';
import { mcpSessionSchema } from '@authsec/manager-client/contract';
import { errors, type Client, type KoaContextWithOIDC } from 'oidc-provider';
import { isPushInHand } from './push-in-hand.js';
import { loginScope } from './scopes.js';

type Validator = (ctx: KoaContextWithOIDC, value: string | undefined, client: Client) => void;

const reportedName = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,100}$/u;

/**
 * Our parameters of an authorization request. All are taken only from a request that an authenticated client pushed, or
 * a public one that waits behind a link: `mcp_session` (the in-band session), `client_name` and `client_address` (of the
 * MCP client, as it reported them), `remember_login` (a public client keeps its refresh token), `requested_at`.
 */
export const requestParameters: Record<string, Validator> = {
  mcp_session(ctx, value, client) {
    addLoginScope(ctx);
    if (value === undefined) return;
    assertPushed(ctx, client, 'mcp_session');
    if (!mcpSessionSchema.safeParse(value).success) throw new errors.InvalidRequest('mcp_session has another form');
  },
  client_name(ctx, value, client) {
    if (value === undefined) return;
    assertPushed(ctx, client, 'client_name');
    if (!reportedName.test(value)) setParameter(ctx, 'client_name', undefined);
  },
  client_address(ctx, value, client) {
    if (value === undefined) return;
    assertPushed(ctx, client, 'client_address');
    if (isIP(value) === 0) setParameter(ctx, 'client_address', undefined);
  },
  remember_login(ctx, value, client) {
    if (value === undefined) return;
    assertPushed(ctx, client, 'remember_login');
    const mayKeep = client.clientAuthMethod === 'none' && client.grantTypeAllowed('refresh_token');
    if (value !== 'true' || !mayKeep) setParameter(ctx, 'remember_login', undefined);
  },
  /** Set by us when the link is used: epoch seconds of the push. */
  requested_at(ctx, value) {
    if (value === undefined) return;
    if (ctx.oidc.route !== 'authorization' || !isTrusted(ctx, 'requested_at')) {
      throw new errors.InvalidRequest('requested_at is not a parameter of yours');
    }
  },
};

function addLoginScope(ctx: KoaContextWithOIDC): void {
  const asked = ctx.oidc.params?.['scope'];
  const scopes = new Set(typeof asked === 'string' ? asked.split(' ') : []);
  setParameter(ctx, 'scope', [...scopes.add(loginScope)].filter((scope) => scope !== '').join(' '));
}

function assertPushed(ctx: KoaContextWithOIDC, client: Client, parameter: string): void {
  const mayPush = client.clientAuthMethod !== 'none' || isPushInHand(ctx);
  const pushedNow = ctx.oidc.route === 'pushed_authorization_request' && mayPush;
  if (pushedNow || isTrusted(ctx, parameter)) return;
  throw new errors.InvalidRequest(`${parameter} is taken only from a request that was pushed`);
}

/** oidc-provider lists in `trusted` what stood in a request object whose sender it knows. */
function isTrusted(ctx: KoaContextWithOIDC, parameter: string): boolean {
  const { trusted, entities } = ctx.oidc as unknown as { trusted?: string[]; entities: Record<string, unknown> };
  return 'PushedAuthorizationRequest' in entities && trusted?.includes(parameter) === true;
}

function setParameter(ctx: KoaContextWithOIDC, name: string, value: string | undefined): void {
  if (ctx.oidc.params) ctx.oidc.params[name] = value;
}
