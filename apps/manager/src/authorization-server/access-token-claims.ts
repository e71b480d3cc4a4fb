import type { Session } from '@authsec/prisma/tenant';
import {
  errors,
  type AccessToken,
  type ClientCredentials,
  type JWTStructured,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { evaluatePerson } from '../authorization/evaluate-person.js';
import { applicationOf } from './client-metadata.js';
import { purposeOf } from './token-purpose.js';
import { toScopeString } from './scopes.js';
import type { TenantContext } from './tenant-context.js';

type Token = AccessToken | ClientCredentials;

/** What of the login is needed once its token was made: by the token object, which lives as long as the request. */
const loginOfToken = new WeakMap<object, Session>();
const loginOfRequest = new WeakMap<object, Session>();

/** The login that the token in hand was issued for, once its claims were made. */
export function loginOf(ctx: KoaContextWithOIDC): Session | undefined {
  return loginOfRequest.get(ctx);
}

/** RFC 9068 claims of ours: who the person is and what it holds now, within what the login was approved for. */
export function createExtraTokenClaims({ tenantId, db, sessions, clock }: TenantContext) {
  return async (ctx: KoaContextWithOIDC | undefined, token: Token): Promise<Record<string, unknown>> => {
    if (token.kind !== 'AccessToken') return { tenant_id: tenantId };
    const { grantId: sid, accountId, client } = token;
    const database = await db();
    const login = sid === undefined ? null : await sessions.findSession(database, sid);
    if (!login || !client || login.endedAt || login.expiresAt.getTime() <= clock.now() || login.userId !== accountId) {
      throw new errors.InvalidGrant('the login has ended');
    }
    const purpose = purposeOf(token);
    if (purpose === 'session') {
      loginOfToken.set(token, login);
      return { tenant_id: tenantId, sid };
    }
    const mayAsk = applicationOf(client).scopes;
    const narrowed = narrowedScopes(ctx);
    const scopes = login.scopes.filter((name) => mayAsk.includes(name) && (narrowed?.has(name) ?? true));
    const bounds = { roles: 'held', groups: 'held', resources: 'held', scopes } as const;
    const person = await evaluatePerson(database, login.userId, bounds, clock.now());
    if (person?.status !== 'active') throw new errors.InvalidGrant('the account cannot sign in');
    loginOfToken.set(token, login);
    if (ctx) loginOfRequest.set(ctx, login);
    const { grants } = person;
    token.scope = toScopeString(grants.scopes);
    return {
      tenant_id: tenantId,
      sid,
      email: person.email,
      roles: grants.roles,
      groups: grants.groups,
      scopes: grants.scopes,
      resources: grants.resources,
      ...(login.mcpSession !== null && { mcp_session: login.mcpSession }),
      ...(purpose === 'paste' && { paste_token: true }),
    };
  };
}

/** RFC 6749 section 6: a refresh may ask for less. */
function narrowedScopes(ctx: KoaContextWithOIDC | undefined): ReadonlySet<string> | undefined {
  const { params, requestParamScopes } = ctx?.oidc ?? {};
  return params?.['grant_type'] === 'refresh_token' && params['scope'] !== undefined ? requestParamScopes : undefined;
}

/** Last touches before signing: `nbf`, the scopes that are held, and no token that outlives its login. */
export function finishAccessToken(_ctx: KoaContextWithOIDC, token: Token, { payload }: JWTStructured): void {
  const login = loginOfToken.get(token);
  const issuedAt = payload['iat'] as number;
  payload['nbf'] = issuedAt;
  payload['scope'] = (login && token.scope) || undefined;
  if (!login) return;
  const loginEnd = Math.floor(login.expiresAt.getTime() / 1000);
  payload['exp'] = Math.min(payload['exp'] as number, loginEnd);
  (token as { expiresIn?: number }).expiresIn = (payload['exp'] as number) - issuedAt;
}
