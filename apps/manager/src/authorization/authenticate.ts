import { createPrincipal, type Grants, type Principal } from '@authsec/rbac-core';
import type { TenantClients, TenantDatabase } from '../db/tenant-clients.js';
import { AppError } from '../errors/app-error.js';
import type { Clock } from '../ports/clock.js';
import type { CallingApplication, ReadPrincipal } from './caller.js';
import { evaluateMachine } from './evaluate-machine.js';
import { evaluatePerson } from './evaluate-person.js';
import { apiAudienceOf, tenantOfIssuer } from './issuer.js';
import { parseJws } from './parse-jws.js';
import type { AccessTokenClaims, VerifyAccessToken } from './verify-access-token.js';

/** The verified holder of a bearer token for the API; what it holds is looked up only where it matters. */
export interface Identity {
  readonly tenantId: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  readonly kind: 'application' | 'person' | 'session';
  readonly application: CallingApplication;
  readonly userId: string | undefined;
  /** Of a `session`, which holds nothing beside it. */
  readonly sid?: string | undefined;
  readonly principal: ReadPrincipal;
}

export interface AuthenticatorOptions {
  readonly baseUrl: string;
  readonly tenants: TenantClients;
  readonly verifyAccessToken: VerifyAccessToken;
  readonly clock: Clock;
}

export type Authenticate = (authorization: string | undefined) => Promise<Identity>;

const nobody: Grants = { roles: [], groups: [], scopes: [], resources: [], permissions: [] };

/** Bearer authentication of the API (RFC 6750, header only); throws AppError 'invalid_token'. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { baseUrl, tenants, verifyAccessToken, clock } = options;
  return async (authorization) => {
    const token = bearerOf(authorization);
    // The issuer is not verified yet: it only says whose keys to verify with.
    const { issuer } = parseJws(token);
    const tenantId = tenantOfIssuer(baseUrl, issuer);
    if (tenantId === undefined) throw new AppError('invalid_token', 'the issuer is none of ours');
    const db = await openTenant(tenants, tenantId);
    const claims = await verifyAccessToken(token, { tenantId, db, issuer, audience: apiAudienceOf(issuer) });
    if (claims.mcp_session !== undefined) throw new AppError('invalid_token', 'an in-band token is no bearer token');
    const application = await findApplication(db, claims.client_id);
    if (claims.sid === undefined) {
      if (claims.sub !== claims.client_id) throw new AppError('invalid_token', "a person's token must have a sid");
      const principal = createReader(clock, (at) => machinePrincipal(db, application.id, at));
      return { tenantId, issuer, db, kind: 'application', application, userId: undefined, principal };
    }
    const { sid, sub: userId } = claims;
    const login = await findLiveLogin(db, sid, { userId, applicationId: application.id, at: clock.now() });
    if (login.mcpSession !== null) {
      if (!application.isPublic) throw new AppError('invalid_token', 'the application has tokens of its own');
      const principal = () => Promise.resolve(createPrincipal(nobody));
      return { tenantId, issuer, db, kind: 'session', application, userId, sid, principal };
    }
    const principal = createReader(clock, (at) => personPrincipal(db, claims, at));
    return { tenantId, issuer, db, kind: 'person', application, userId, principal };
  };
}

function createReader(clock: Clock, read: (at: number) => Promise<Principal>): ReadPrincipal {
  let now: Promise<Principal> | undefined;
  return (laterAt) => (laterAt === undefined ? (now ??= read(clock.now())) : read(Math.max(clock.now(), laterAt)));
}

function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined) throw new AppError('invalid_token', 'no Authorization header');
  const [, token] = /^Bearer ([^\s,]+)$/i.exec(authorization) ?? [];
  if (!token) throw new AppError('invalid_token', 'the Authorization header is not one bearer token');
  return token;
}

async function openTenant(tenants: TenantClients, tenantId: string): Promise<TenantDatabase> {
  try {
    return await tenants.open(tenantId);
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'not_found') throw cause;
    throw new AppError('invalid_token', 'the issuer is no tenant', { cause });
  }
}

async function findApplication(
  db: TenantDatabase,
  clientId: string,
): Promise<CallingApplication & { readonly isPublic: boolean }> {
  const application = await db.application.findUnique({
    where: { clientId },
    select: { id: true, clientId: true, resourceUrl: true, status: true, tokenEndpointAuthMethod: true },
  });
  if (application?.status !== 'active') throw new AppError('invalid_token', 'the application is gone or disabled');
  const { id, resourceUrl, tokenEndpointAuthMethod } = application;
  return { id, clientId: application.clientId, resourceUrl, isPublic: tokenEndpointAuthMethod === 'none' };
}

async function findLiveLogin(
  db: TenantDatabase,
  sid: string,
  expected: { userId: string; applicationId: string; at: number },
): Promise<{ readonly mcpSession: string | null }> {
  const session = await db.session.findUnique({ where: { id: sid }, include: { user: { select: { status: true } } } });
  const lives =
    session?.endedAt === null &&
    session.expiresAt.getTime() > expected.at &&
    session.userId === expected.userId &&
    session.applicationId === expected.applicationId &&
    session.user.status === 'active';
  if (!lives) throw new AppError('invalid_token', 'the login of this token has ended');
  return session;
}

async function machinePrincipal(db: TenantDatabase, applicationId: string, at: number): Promise<Principal> {
  return createPrincipal((await evaluateMachine(db, applicationId, at)).grants);
}

/** The tables are the truth, the token's claims an upper bound. */
async function personPrincipal(db: TenantDatabase, claims: AccessTokenClaims, at: number): Promise<Principal> {
  const { roles, groups, scopes, resources } = claims;
  const person = await evaluatePerson(db, claims.sub, { roles, groups, scopes, resources }, at);
  return createPrincipal(person?.status === 'active' ? person.grants : nobody);
}
