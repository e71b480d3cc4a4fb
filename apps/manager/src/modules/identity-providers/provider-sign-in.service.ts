import type { TenantDatabase } from '../../db/tenant-clients.js';
import { type BeginSignIn, type BeginSignInOptions, createBeginSignIn } from './begin-sign-in.js';
import { type ComeBack, type ComeBackOptions, createComeBack } from './come-back.js';
import { domainOf } from './identity-provider.js';
import { isPasswordEnabled, listIdentityProviders } from './identity-providers.repository.js';
import type { SignInContext } from './provider-steps.js';
import { openAttempt, type ProviderIdentityKey } from './sealed-attempt.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { takeResult } from './sign-in-attempts.repository.js';

export interface WaysIn {
  readonly password: boolean;
  /** There are domains whose people are sent to a provider by their address. */
  readonly homeRealm: boolean;
  readonly providers: readonly { readonly id: string; readonly name: string }[];
}

export interface ProviderSignInService {
  waysIn(db: TenantDatabase): Promise<WaysIn>;
  /** The provider that people with this address sign in at, where there is one. */
  homeRealmOf(db: TenantDatabase, email: string): Promise<string | undefined>;
  readonly begin: BeginSignIn;
  readonly comeBack: ComeBack;
  /** Who came back, once, for the login that they came for. */
  take(
    context: SignInContext,
    came: { readonly interactionId: string; readonly result: string },
  ): Promise<{ readonly userId: string; readonly link: ProviderIdentityKey | undefined } | undefined>;
}

/** From a button to the provider, back, and into the login that waits. */
export function createProviderSignInService(options: BeginSignInOptions & ComeBackOptions): ProviderSignInService {
  const { clock, sealer } = options;
  return {
    begin: createBeginSignIn(options),
    comeBack: createComeBack(options),

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

    async take({ db, tenantId }, { interactionId, result }) {
      const taken = await takeResult(db, hashIdentifier(result), new Date(clock.now()));
      if (!taken) return undefined;
      const { interactionId: own, link } = openAttempt(sealer, tenantId, taken);
      return own === interactionId ? { userId: taken.userId, link } : undefined;
    },
  };
}
