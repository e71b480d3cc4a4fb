import type { Route } from '@authsec/manager-client/contract';
import { compileRequirement, decide } from '@authsec/rbac-core';
import { AppError } from '../errors/app-error.js';
import type { Authenticate, Identity } from './authenticate.js';
import type { Caller } from './caller.js';

export interface GateOptions {
  readonly authenticate: Authenticate;
  /** Whether the master flags this tenant as the system tenant. */
  readonly isSystemTenant: (tenantId: string) => Promise<boolean>;
}

/** Whether the holder of an Authorization header may call a route: the one place where `route.access` is enforced. */
export type Gate = (authorization: string | undefined, route: Pick<Route, 'access'>) => Promise<Caller>;

/** Throws AppError 'invalid_token' or 'insufficient_permission'. */
export function createGate({ authenticate, isSystemTenant }: GateOptions): Gate {
  return async (authorization, { access }) => {
    const identity = await authenticate(authorization);
    if (identity.kind === 'session') {
      if (access.session) return { ...identity, reach: 'session' };
      throw new AppError('insufficient_permission', 'the token of a session counts for that session only');
    }
    if (access.permission !== undefined) {
      const counts = !access.permission.startsWith('authsec:tenants:') && !access.system;
      const requirement = compileRequirement({ permission: access.permission });
      if (
        (counts || (await isSystemTenant(identity.tenantId))) &&
        decide(await identity.principal(), requirement).allowed
      ) {
        return { ...identity, reach: 'tenant' };
      }
    }
    if (access.owner && isOwner(identity)) return { ...identity, reach: 'own' };
    throw new AppError(
      'insufficient_permission',
      `${identity.kind} does not hold ${access.permission ?? 'an application token'}`,
    );
  };
}

/** An application that shows a token of its own: not a person who came by it. */
function isOwner(identity: Identity): boolean {
  return identity.kind === 'application';
}
