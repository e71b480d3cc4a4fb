import { randomBytes } from 'node:crypto';
import type { Clock } from '../../ports/clock.js';
import type { Sealer } from '../../ports/sealer.js';
import { findIdentityProvider } from './identity-providers.repository.js';
import { ProviderFailure } from './provider-failure.js';
import type { ProviderSteps, SignInContext } from './provider-steps.js';
import { attemptCookieName, attemptSeconds, sealAttempt } from './sealed-attempt.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { insertAttempt } from './sign-in-attempts.repository.js';

export interface AttemptToBegin {
  /** As a form named it. */
  readonly providerId: string;
  readonly interactionId: string;
  readonly loginHint?: string | undefined;
  /** The signed-in person who adds the provider to their account. */
  readonly linkUserId?: string;
}

export interface BegunAttempt {
  readonly url: string;
  readonly callbackUrl: string;
  /** For the attempt's own cookie. */
  readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeMs: number };
}

/** `unavailable`: it cannot be reached now; undefined where there is no such provider. */
export type BeginSignIn = (
  context: SignInContext,
  attempt: AttemptToBegin,
) => Promise<BegunAttempt | { readonly unavailable: string | undefined }>;

export interface BeginSignInOptions {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly steps: ProviderSteps;
}

export function createBeginSignIn({ clock, sealer, steps }: BeginSignInOptions): BeginSignIn {
  return async (context, { providerId, interactionId, loginHint, linkUserId }) => {
    const provider = isUuid(providerId) ? await findIdentityProvider(context.db, providerId) : undefined;
    if (!provider?.enabled) return { unavailable: undefined };
    const state = randomBytes(32).toString('base64url');
    const value = randomBytes(32).toString('base64url');
    const stateHash = hashIdentifier(state);
    try {
      const { url, session, callbackUrl } = await steps.begin(context, provider, { state, loginHint });
      await insertAttempt(context.db, {
        stateHash,
        identityProviderId: provider.id,
        cookieHash: hashIdentifier(value),
        sealedRequest: sealAttempt(sealer, context.tenantId, stateHash, { interactionId, session }),
        linkUserId: linkUserId ?? null,
        expiresAt: new Date(clock.now() + attemptSeconds * 1000),
      });
      return { url, callbackUrl, cookie: { name: attemptCookieName(state), value, maxAgeMs: attemptSeconds * 1000 } };
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      steps.report(context, provider, error.check, error);
      return { unavailable: provider.name };
    }
  };
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
