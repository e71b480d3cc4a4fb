import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { Secret } from '../../config/secret.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import type { Clock } from '../../ports/clock.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { GuardedFetch } from '../../ports/guarded-fetch.js';
import type { Sealer } from '../../ports/sealer.js';
import { admitPerson, isAllowedDomain } from './admit-person.js';
import { callbackUrlOf, domainOf, type IdentityProvider, secretBinding } from './identity-provider.js';
import { findIdentityProvider, isPasswordEnabled, listIdentityProviders } from './identity-providers.repository.js';
import type { LinkService } from './link-identity.service.js';
import type { ProviderConfigurations } from './provider-configuration.js';
import { ProviderFailure, toProviderFailure } from './provider-failure.js';
import { type ProviderIdentity, readOAuth2Identity, readOidcIdentity } from './provider-identity.js';
import { beginAtProvider, completeAtProvider, type ProtocolSession, type ProtocolStep } from './provider-protocol.js';
import {
  type Attempt,
  findSpentAttempt,
  hashOf,
  insertAttempt,
  storeResult,
  takeAttempt,
  takeResult,
} from './sign-in-attempts.repository.js';

/** Of which tenant, in which request. */
export interface SignInContext {
  readonly tenantId: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  readonly requestId: string;
}

export interface WaysIn {
  readonly password: boolean;
  /** Those whose domains are sent to a provider are asked for their address alone. */
  readonly homeRealm: boolean;
  readonly providers: readonly { readonly id: string; readonly name: string }[];
}

export interface BegunAttempt {
  readonly url: string;
  readonly callbackUrl: string;
  /** For the attempt's own cookie. */
  readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeMs: number };
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

export interface ProviderSignInService {
  waysIn(db: TenantDatabase): Promise<WaysIn>;
  /** The provider that people with this address sign in at, where there is one. */
  homeRealmOf(db: TenantDatabase, email: string): Promise<string | undefined>;
  /** Undefined where there is no such provider, or it cannot be reached now. */
  begin(
    context: SignInContext,
    attempt: {
      readonly providerId: string;
      readonly interactionId: string;
      readonly loginHint?: string | undefined;
      /** The signed-in person who adds the provider to their account. */
      readonly linkUserId?: string;
    },
  ): Promise<BegunAttempt | { readonly unavailable: string | undefined }>;
  comeBack(
    context: SignInContext,
    answer: {
      readonly providerId: string;
      readonly query: string;
      readonly cookieOf: (name: string) => string | undefined;
    },
  ): Promise<Return>;
  /** Who came back, once, for the login that they came for. */
  take(
    context: SignInContext,
    came: { readonly interactionId: string; readonly result: string },
  ): Promise<{ readonly userId: string; readonly link: ProviderIdentityKey | undefined } | undefined>;
}

export interface ProviderIdentityKey {
  readonly providerId: string;
  readonly issuer: string;
  readonly subject: string;
}

export interface ProviderSignInOptions {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly fetch: GuardedFetch;
  readonly configurations: ProviderConfigurations;
  readonly events: EventBus;
  readonly logger: Logger;
  readonly linkedTo: LinkService['linkedTo'];
}

interface SealedRequest {
  readonly interactionId: string;
  readonly session?: ProtocolSession;
  readonly link?: ProviderIdentityKey;
}

export const attemptSeconds = 10 * 60;
/** Everything that one step asks of a provider together: a page comes within six seconds. */
const stepMs = 5_000;

export function createProviderSignInService(options: ProviderSignInOptions): ProviderSignInService {
  const { clock, sealer, fetch, configurations, events, logger } = options;
  const bindingOf = (tenantId: string, stateHash: string) => `${tenantId}/sign_in_attempts/${stateHash}`;

  function unseal({ tenantId }: SignInContext, attempt: Attempt): SealedRequest {
    const text = sealer.open(attempt.sealedRequest, bindingOf(tenantId, attempt.stateHash)).toString('utf8');
    return JSON.parse(text) as SealedRequest;
  }

  function secretOf({ tenantId }: SignInContext, { id, sealedClientSecret }: IdentityProvider): Secret | undefined {
    if (!sealedClientSecret) return undefined;
    return new Secret(sealer.open(sealedClientSecret, secretBinding(tenantId, id)).toString('utf8'));
  }

  async function stepAt(
    context: SignInContext,
    provider: IdentityProvider,
    deadline: AbortSignal,
  ): Promise<ProtocolStep> {
    const configuration = await configurations.of(provider, secretOf(context, provider), deadline);
    return {
      tenantId: context.tenantId,
      provider,
      configuration,
      callbackUrl: callbackUrlOf(context.issuer, provider.id),
    };
  }

  function report(context: SignInContext, provider: IdentityProvider, check: string, err?: Error): void {
    logger.warn(
      {
        tenant: context.tenantId,
        request_id: context.requestId,
        identity_provider: provider.id,
        issuer: provider.issuer,
        check,
        ...(err && { err }),
      },
      `sign-in through an identity provider failed: ${check}`,
    );
  }

  async function identify(
    context: SignInContext,
    provider: IdentityProvider,
    answer: { readonly query: string; readonly session: ProtocolSession },
  ): Promise<ProviderIdentity | 'denied'> {
    const deadline = AbortSignal.timeout(stepMs);
    const step = await stepAt(context, provider, deadline);
    let succeeded = false;
    try {
      const tokens = await completeAtProvider(step, answer);
      succeeded = true;
      if (tokens === 'denied') return tokens;
      return provider.kind === 'oidc'
        ? await readOidcIdentity(provider, step.configuration, tokens)
        : await readOAuth2Identity(provider, fetch, tokens, deadline);
    } finally {
      configurations.settle(provider, step.configuration, succeeded);
    }
  }

  return {
    async waysIn(db) {
      const [providers, password] = await Promise.all([
        listIdentityProviders(db, { enabledOnly: true }),
        isPasswordEnabled(db),
      ]);
      return {
        password,
        homeRealm: providers.some(({ settings }) => settings.home_realm_domains.length > 0),
        providers: providers.map(({ id, name }) => ({ id, name })),
      };
    },

    async homeRealmOf(db, email) {
      const domain = domainOf(email);
      if (domain === undefined) return undefined;
      const providers = await listIdentityProviders(db, { enabledOnly: true });
      return providers.find(({ settings }) => settings.home_realm_domains.includes(domain))?.id;
    },

    async begin(context, { providerId, interactionId, loginHint, linkUserId }) {
      const provider = isUuid(providerId) ? await findIdentityProvider(context.db, providerId) : undefined;
      if (!provider?.enabled) return { unavailable: undefined };
      const state = randomBytes(32).toString('base64url');
      const cookie = randomBytes(32).toString('base64url');
      const stateHash = hashOf(state);
      try {
        const step = await stepAt(context, provider, AbortSignal.timeout(stepMs));
        const { url, session } = await beginAtProvider(step, { state, loginHint });
        const request: SealedRequest = { interactionId, session };
        await insertAttempt(context.db, {
          stateHash,
          identityProviderId: provider.id,
          cookieHash: hashOf(cookie),
          sealedRequest: sealer.seal(JSON.stringify(request), bindingOf(context.tenantId, stateHash)),
          linkUserId: linkUserId ?? null,
          expiresAt: new Date(clock.now() + attemptSeconds * 1000),
        });
        const { callbackUrl } = step;
        return {
          url,
          callbackUrl,
          cookie: { name: cookieNameOf(state), value: cookie, maxAgeMs: attemptSeconds * 1000 },
        };
      } catch (error) {
        if (!(error instanceof ProviderFailure)) throw error;
        report(context, provider, error.check, error);
        return { unavailable: provider.name };
      }
    },

    async comeBack(context, { providerId, query, cookieOf }) {
      const state = onlyState(query);
      const cookie = state === undefined ? undefined : cookieOf(cookieNameOf(state));
      if (state === undefined || cookie === undefined || !isUuid(providerId))
        return { outcome: 'spent', interactionId: undefined };
      const key = { stateHash: hashOf(state), cookieHash: hashOf(cookie), identityProviderId: providerId };
      const attempt = await takeAttempt(context.db, key, new Date(clock.now()));
      if (!attempt) {
        const spent = await findSpentAttempt(context.db, key);
        return { outcome: 'spent', interactionId: spent && unseal(context, spent).interactionId };
      }
      const { interactionId, session } = unseal(context, attempt);
      const provider = await findIdentityProvider(context.db, providerId);
      if (!provider?.enabled || !session) return { outcome: 'spent', interactionId };
      const end = (outcome: 'denied' | 'failed' | 'not_admitted') => ({
        outcome,
        interactionId,
        providerName: provider.name,
      });

      let identity: ProviderIdentity | 'denied';
      try {
        identity = await identify(context, provider, { query, session });
      } catch (error) {
        const failure = toProviderFailure(error);
        report(context, provider, failure.check, failure);
        return end('failed');
      }
      if (identity === 'denied') return end('denied');
      const person = await personOf(identity, provider, attempt.linkUserId);
      if ('refused' in person) {
        report(context, provider, `person.${person.refused}`);
        return end('not_admitted');
      }
      const result = randomBytes(32).toString('base64url');
      const { issuer, subject } = identity;
      const kept: SealedRequest = {
        interactionId,
        ...(attempt.linkUserId !== null && { link: { providerId, issuer, subject } }),
      };
      await storeResult(context.db, attempt.stateHash, {
        userId: person.userId,
        resultHash: hashOf(result),
        sealedRequest: sealer.seal(JSON.stringify(kept), bindingOf(context.tenantId, attempt.stateHash)),
      });
      return { outcome: 'came', interactionId, result };

      async function personOf(who: ProviderIdentity, at: IdentityProvider, linkUserId: string | null) {
        if (linkUserId === null) {
          const admission = await admitPerson(context.db, at, who, context.requestId);
          if ('created' in admission && admission.created) await events.publish(context.tenantId);
          return admission;
        }
        if (!isAllowedDomain(at, who)) return { refused: 'email_domain' as const };
        const linked = await options.linkedTo(context.db, who);
        return linked !== undefined && linked !== linkUserId
          ? { refused: 'linked_to_another' as const }
          : { userId: linkUserId };
      }
    },

    async take(context, { interactionId, result }) {
      const taken = await takeResult(context.db, hashOf(result), new Date(clock.now()));
      if (!taken) return undefined;
      const { interactionId: own, link } = unseal(context, taken);
      return own === interactionId ? { userId: taken.userId, link } : undefined;
    },
  };
}

/** One a `state`: two tabs do not overwrite each other's. */
function cookieNameOf(state: string): string {
  return `authsec_idp_${hashOf(state).slice(0, 16)}`;
}

/** One `state` of ours; anything else, a repeated one too, is nobody's. */
function onlyState(query: string): string | undefined {
  const states = new URLSearchParams(query).getAll('state');
  return states.length === 1 && /^[A-Za-z0-9_-]{43}$/.test(states[0] ?? '') ? states[0] : undefined;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
