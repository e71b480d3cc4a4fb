import type { Logger } from 'pino';
import { Secret } from '../../config/secret.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import type { GuardedFetch } from '../../ports/guarded-fetch.js';
import type { Sealer } from '../../ports/sealer.js';
import { callbackUrlOf, type IdentityProvider, secretBinding } from './identity-provider.js';
import type { ProviderConfigurations } from './provider-configuration.js';
import { type ProviderIdentity, readOAuth2Identity, readOidcIdentity } from './provider-identity.js';
import { beginAtProvider, completeAtProvider, type ProtocolSession, type ProtocolStep } from './provider-protocol.js';

/** Of which tenant, in which request. */
export interface SignInContext {
  readonly tenantId: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  readonly requestId: string;
}

/** The two steps at a provider, each within five seconds. They reject with ProviderFailure. */
export interface ProviderSteps {
  begin(
    context: SignInContext,
    provider: IdentityProvider,
    request: { readonly state: string; readonly loginHint: string | undefined },
  ): Promise<{ readonly url: string; readonly session: ProtocolSession; readonly callbackUrl: string }>;
  /** Who came, every check passed; 'denied' where the person refused there. */
  complete(
    context: SignInContext,
    provider: IdentityProvider,
    answer: { readonly query: string; readonly session: ProtocolSession },
  ): Promise<ProviderIdentity | 'denied'>;
  /** A line of the operator's log. */
  report(context: SignInContext, provider: IdentityProvider, check: string, err?: Error): void;
}

export interface ProviderStepsOptions {
  readonly sealer: Sealer;
  readonly fetch: GuardedFetch;
  readonly configurations: ProviderConfigurations;
  readonly logger: Logger;
}

/** Everything that one step asks of a provider together: a page comes within six seconds. */
const stepMs = 5_000;

export function createProviderSteps({ sealer, fetch, configurations, logger }: ProviderStepsOptions): ProviderSteps {
  async function stepAt(
    { tenantId, issuer }: SignInContext,
    provider: IdentityProvider,
    deadline: AbortSignal,
  ): Promise<ProtocolStep> {
    const { id, sealedClientSecret: sealed } = provider;
    const secret = sealed ? new Secret(sealer.open(sealed, secretBinding(tenantId, id)).toString('utf8')) : undefined;
    const configuration = await configurations.of(provider, secret, deadline);
    return { tenantId, provider, configuration, callbackUrl: callbackUrlOf(issuer, id) };
  }

  return {
    async begin(context, provider, request) {
      const step = await stepAt(context, provider, AbortSignal.timeout(stepMs));
      return { ...(await beginAtProvider(step, request)), callbackUrl: step.callbackUrl };
    },

    async complete(context, provider, answer) {
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
    },

    report({ tenantId: tenant, requestId }, { id, issuer }, check, err) {
      logger.warn(
        { tenant, request_id: requestId, identity_provider: id, issuer, check, ...(err && { err }) },
        `sign-in through an identity provider failed: ${check}`,
      );
    },
  };
}
