import { randomBytes } from 'node:crypto';
import type { Client, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { evaluatePerson, unbounded } from '../authorization/evaluate-person.js';
import { applicationOf } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { approvableScopes, loginScope, openidScope, toScopeString } from './scopes.js';
import type { TenantContext } from './tenant-context.js';

/**
 * One grant, and one session row, for each approved login: never the grant of an earlier one, so that the end of one
 * login ends no other. Until the person approved there is none.
 */
export function createLoginGrants({ tenantId, db, sessions, clock }: TenantContext) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, account, params, provider, result, requestParamScopes } = ctx.oidc;
    if (!result?.consent || !client || !account || !params) return undefined;
    const application = applicationOf(client);
    const mcpSession = text(params['mcp_session']);
    const inBand = mcpSession !== undefined;
    const database = await db();
    const asked = approvableScopes(application.scopes, { scope: text(params['scope']), inBand });
    const scopes = inBand ? asked : await heldOf(asked, account.accountId);
    const remembered = text(params['remember_login']) === 'true';
    const lifetime = lifetimeOf(client, inBand && !remembered);
    const sid = randomBytes(24).toString('base64url');

    await sessions.createSession({
      tenantId,
      db: database,
      sid,
      userId: account.accountId,
      applicationId: application.id,
      mcpSession: mcpSession ?? null,
      scopes,
      clientName: text(params['client_name']) ?? null,
      expiresAt: new Date(clock.now() + lifetime * 1000),
    });
    const properties = { jti: sid, accountId: account.accountId, clientId: client.clientId, expiresIn: lifetime };
    const grant = new provider.Grant(properties);
    grant.addOIDCScope([loginScope, ...(requestParamScopes.has(openidScope) ? [openidScope] : [])]);
    grant.addResourceScope(application.resource, [toScopeString(scopes), loginScope].join(' ').trim());
    await grant.save();
    return grant;

    async function heldOf(names: readonly string[], userId: string): Promise<string[]> {
      const person = await evaluatePerson(database, userId, unbounded, clock.now());
      return names.filter((name) => person?.grants.scopes.includes(name));
    }
  };
}

function lifetimeOf(client: Client, inBand: boolean): number {
  if (inBand) return lifetimes.inBandLogin;
  return client.grantTypeAllowed('refresh_token') ? lifetimes.refreshableLogin : lifetimes.plainLogin;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
