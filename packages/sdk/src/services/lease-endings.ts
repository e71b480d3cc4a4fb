import type { Services } from '@authsec/manager-client';
import { createEndings, type Endings, type EndingsOptions } from '../grants/endings.js';

/** Ends the leases of dynamic credentials at the Manager. */
export function createLeaseEndings({
  services,
  ...options
}: Pick<EndingsOptions, 'clock' | 'log' | 'random'> & { readonly services: Pick<Services, 'endLease'> }): Endings {
  return createEndings({ ...options, what: 'lease', end: (leaseId, call) => services.endLease(leaseId, call) });
}
