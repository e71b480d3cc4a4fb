import type { ServiceSettings } from '@authsec/manager-client/contract';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import type { Service } from './service.js';

/** Of which tenant, in which request somebody connects an account. */
export interface ConnectContext {
  readonly tenantId: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  readonly requestId: string;
}

/** A link that nobody has gone on from. */
export interface OpenLink {
  readonly id: string;
  readonly userId: string;
  readonly sid: string;
  readonly createdAt: Date;
  readonly service: {
    readonly name: string;
    readonly description: string;
    readonly settings: ServiceSettings;
    readonly rawCredential: boolean;
  };
  readonly application: {
    readonly id: string;
    readonly clientId: string;
    readonly name: string;
    readonly resourceUrl: string | null;
  };
}

/** How long a link lives, and then how long the visit at the service may take. */
export const connectSeconds = 10 * 60;

/** Each service comes back to a URL of its own: no answer of one is taken for another's (RFC 9700 section 4.4.2). */
export function callbackUrlOf(issuer: string, serviceId: string): string {
  return `${issuer}/connect/callback/${serviceId}`;
}

/** Found only by who has both what travels in the URL and what stays in the browser. */
export function returnHash(state: string, cookie: string): string {
  return hashIdentifier(`${state}.${cookie}`);
}

/** One a `state`: two tabs do not overwrite each other's. */
export function returnCookieName(state: string): string {
  return `authsec_connect_${hashIdentifier(state).slice(0, 16)}`;
}

/** What binds what is sealed of an attempt to its row. */
export function attemptBinding(tenantId: string, attemptId: string): string {
  return `${tenantId}/service_connect_attempts/${attemptId}`;
}

/** An answer that was asked for under other settings, or to be used elsewhere, is not taken. */
export function digestOf({ settings, baseUrl }: Pick<Service, 'settings' | 'baseUrl'>): string {
  return hashIdentifier(JSON.stringify([settings, baseUrl]));
}
