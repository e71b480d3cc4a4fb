import type { Principal } from '@authsec/rbac-core';
import type { TenantDatabase } from '../db/tenant-clients.js';

/** Who calls the API, after its token was verified and the route's access was decided. */
export interface Caller {
  readonly tenantId: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  /** `session`: a public client with the token of one in-band login. */
  readonly kind: 'application' | 'person' | 'session';
  /** The application that the token was issued to. */
  readonly application: CallingApplication;
  /** The person, where there is one. */
  readonly userId: string | undefined;
  readonly principal: ReadPrincipal;
  /** The one session that a `session` reaches; undefined for the others. */
  readonly sid?: string | undefined;
  /** `own`: only what belongs to the calling application. `session`: only `sid`. `tenant`: it holds the route's permission. */
  readonly reach: 'own' | 'session' | 'tenant';
}

/**
 * What a caller effectively holds by the tenant's tables: now (read once), or what it will hold at a later moment (epoch
 * milliseconds) if nothing is given or taken until then.
 */
export type ReadPrincipal = (laterAt?: number) => Promise<Principal>;

export interface CallingApplication {
  readonly id: string;
  readonly clientId: string;
  readonly resourceUrl: string | null;
}

/** Whether a session of the calling application is within reach. */
export function reachesSession(caller: Caller, sid: string): boolean {
  return caller.reach !== 'session' || caller.sid === sid;
}

/** The application whose things alone the caller reaches; undefined where it reaches the tenant's. */
export function onlyOf(caller: Caller): string | undefined {
  return caller.reach === 'tenant' ? undefined : caller.application.id;
}
