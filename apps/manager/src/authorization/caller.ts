import type { TenantDatabase } from '../db/tenant-clients.js';
import type { Principal } from '@authsec/rbac-core';

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
  /** What it effectively holds now, from the tenant's tables. */
  readonly principal: Principal;
  /** `own`: only what belongs to the calling application. `tenant`: it holds the route's permission. */
  readonly reach: 'own' | 'tenant';
}

export interface CallingApplication {
  readonly id: string;
  readonly clientId: string;
  readonly resourceUrl: string | null;
}

/** The `aud` of a person's token for this application. */
export function audienceOf(application: CallingApplication): string {
  return application.resourceUrl ?? `urn:authsec:application:${application.clientId}`;
}
