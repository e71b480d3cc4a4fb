import type { Sealer } from '../../ports/sealer.js';
import type { ProtocolSession } from './provider-protocol.js';
import { hashIdentifier } from '../../db/hash-identifier.js';

/** Of which tenant's provider, who somebody is. */
export interface ProviderIdentityKey {
  readonly providerId: string;
  readonly issuer: string;
  readonly subject: string;
}

/** What only we read of an attempt. */
export interface AttemptRequest {
  readonly interactionId: string;
  /** Until somebody comes back. */
  readonly session?: ProtocolSession;
  /** Then, where a signed-in person adds a provider: whom the provider named. */
  readonly link?: ProviderIdentityKey;
}

export const attemptSeconds = 10 * 60;

export function sealAttempt(sealer: Sealer, tenantId: string, stateHash: string, request: AttemptRequest): Buffer {
  return sealer.seal(JSON.stringify(request), bindingOf(tenantId, stateHash));
}

export function openAttempt(
  sealer: Sealer,
  tenantId: string,
  attempt: { readonly stateHash: string; readonly sealedRequest: Uint8Array },
): AttemptRequest {
  const text = sealer.open(attempt.sealedRequest, bindingOf(tenantId, attempt.stateHash)).toString('utf8');
  return JSON.parse(text) as AttemptRequest;
}

function bindingOf(tenantId: string, stateHash: string): string {
  return `${tenantId}/sign_in_attempts/${stateHash}`;
}

/** One a `state`: two tabs do not overwrite each other's. */
export function attemptCookieName(state: string): string {
  return `authsec_idp_${hashIdentifier(state).slice(0, 16)}`;
}
