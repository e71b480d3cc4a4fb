import type { GuardedFetch } from '../../ports/guarded-fetch.js';
import type { Service } from './service.js';

/** The two ways out: to public addresses only, and to whatever the operator allows. */
export interface ServiceFetches {
  readonly toPublic: GuardedFetch;
  /** The operator's setting decides whether private addresses are among what it reaches. */
  readonly toAllowed: GuardedFetch;
}

/** Private addresses need the word of both: the service's and the operator's. */
export function fetchFor(fetches: ServiceFetches, service: Pick<Service, 'allowPrivateAddresses'>): GuardedFetch {
  return service.allowPrivateAddresses ? fetches.toAllowed : fetches.toPublic;
}
