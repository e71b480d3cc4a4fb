import { randomBytes } from 'node:crypto';
import type { Clock } from '../../ports/clock.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { Sealer } from '../../ports/sealer.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import { admitPerson, type AdmissionRefusal, isAllowedDomain } from './admit-person.js';
import { isUuid } from './begin-sign-in.js';
import type { IdentityProvider } from './identity-provider.js';
import { findIdentityProvider } from './identity-providers.repository.js';
import type { LinkService } from './link-identity.service.js';
import { toProviderFailure } from './provider-failure.js';
import type { ProviderIdentity } from './provider-identity.js';
import type { ProviderSteps, SignInContext } from './provider-steps.js';
import { attemptCookieName, openAttempt, sealAttempt } from './sealed-attempt.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { findSpentAttempt, storeResult, takeAttempt } from './sign-in-attempts.repository.js';

/** What a browser brings back from a provider. */
export interface ProviderAnswer {
  readonly providerId: string;
  /** With its `?`. */
  readonly query: string;
  readonly cookieOf: (name: string) => string | undefined;
}

/** How a return from a provider ended; `interactionId` where there is a login to go back to. */
export type Return =
  | { readonly outcome: 'came'; readonly interactionId: string; readonly result: string }
  | {
      readonly outcome: 'denied' | 'failed' | 'not_admitted';
      readonly interactionId: string;
      readonly providerName: string;
    }
  | { readonly outcome: 'spent'; readonly interactionId: string | undefined };

export type ComeBack = (context: SignInContext, answer: ProviderAnswer) => Promise<Return>;

export interface ComeBackOptions {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly steps: ProviderSteps;
  readonly events: EventBus;
  readonly linkedTo: LinkService['linkedTo'];
  readonly telemetry?: Pick<Telemetry, 'record'>;
}

/** Uses the attempt up before anything of the answer is looked at; what comes of it waits for the interaction. */
export function createComeBack(options: ComeBackOptions): ComeBack {
  const { clock, sealer, steps, events, linkedTo, telemetry = noTelemetry } = options;
  return async (context, { providerId, query, cookieOf }) => {
    const { tenantId, db } = context;
    const state = onlyState(query);
    const cookie = state === undefined ? undefined : cookieOf(attemptCookieName(state));
    if (state === undefined || cookie === undefined || !isUuid(providerId)) {
      return { outcome: 'spent', interactionId: undefined };
    }
    const key = {
      stateHash: hashIdentifier(state),
      cookieHash: hashIdentifier(cookie),
      identityProviderId: providerId,
    };
    const attempt = await takeAttempt(db, key, new Date(clock.now()));
    if (!attempt) {
      const spent = await findSpentAttempt(db, key);
      return { outcome: 'spent', interactionId: spent && openAttempt(sealer, tenantId, spent).interactionId };
    }
    const { interactionId, session } = openAttempt(sealer, tenantId, attempt);
    const provider = await findIdentityProvider(db, providerId);
    if (!provider?.enabled || !session) return { outcome: 'spent', interactionId };
    const { linkUserId } = attempt;
    const count = (outcome: 'success' | 'denied' | 'failed' | 'not_admitted') => {
      if (linkUserId === null) telemetry.record({ kind: 'login', tenantId, method: provider.kind, outcome });
    };
    const end = (outcome: 'denied' | 'failed' | 'not_admitted') => {
      count(outcome);
      return { outcome, interactionId, providerName: provider.name };
    };

    let identity: ProviderIdentity | 'denied';
    try {
      identity = await steps.complete(context, provider, { query, session });
    } catch (error) {
      const failure = toProviderFailure(error);
      steps.report(context, provider, failure.check, failure);
      return end('failed');
    }
    if (identity === 'denied') return end('denied');
    const person =
      linkUserId === null
        ? await admit(context, provider, identity)
        : await judgeLink(context, provider, identity, linkUserId);
    if ('refused' in person) {
      steps.report(context, provider, `person.${person.refused}`);
      return end('not_admitted');
    }
    const result = randomBytes(32).toString('base64url');
    const { issuer, subject } = identity;
    const kept = { interactionId, ...(linkUserId !== null && { link: { providerId, issuer, subject } }) };
    await storeResult(db, attempt.stateHash, {
      userId: person.userId,
      resultHash: hashIdentifier(result),
      sealedRequest: sealAttempt(sealer, tenantId, attempt.stateHash, kept),
    });
    count('success');
    return { outcome: 'came', interactionId, result };
  };

  type Person = { readonly userId: string } | { readonly refused: AdmissionRefusal };

  async function admit(
    context: SignInContext,
    provider: IdentityProvider,
    identity: ProviderIdentity,
  ): Promise<Person> {
    const admission = await admitPerson(context.db, provider, identity, context.requestId);
    if ('created' in admission && admission.created) await events.publish(context.tenantId);
    return admission;
  }

  async function judgeLink(
    { db }: SignInContext,
    provider: IdentityProvider,
    identity: ProviderIdentity,
    userId: string,
  ): Promise<Person> {
    if (!isAllowedDomain(provider, identity)) return { refused: 'email_domain' };
    const linked = await linkedTo(db, identity);
    return linked === undefined || linked === userId ? { userId } : { refused: 'linked_to_another' };
  }
}

/** One `state` of ours; anything else, a repeated one too, is nobody's. */
function onlyState(query: string): string | undefined {
  const states = new URLSearchParams(query).getAll('state');
  return states.length === 1 && /^[A-Za-z0-9_-]{43}$/.test(states[0] ?? '') ? states[0] : undefined;
}
