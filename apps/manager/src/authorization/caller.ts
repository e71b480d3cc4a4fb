import type { Principal } from '@authsec/rbac-core';
import type { TenantDatabase } from '../db/tenant-clients.js';

/** Who calls the API, after its token was verified and the route's access was decided. */
export interface Caller {
  readonly tenantId: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  readonly kind: 'application' | 'person';
  /** The application that the token was issued to. */
  readonly application: CallingApplication;
  /** The person, where there is one. */
  readonly userId: string | undefined;
  readonly principal: ReadPrincipal;
  /** `own`: only what belongs to the calling application. `tenant`: it holds the route's permission. */
  readonly reach: 'own' | 'tenant';
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

/** The application whose things alone the caller reaches; undefined where it reaches the tenant's. */
export function onlyOf(caller: Caller): string | undefined {
  return caller.reach === 'tenant' ? undefined : caller.application.id;
}
