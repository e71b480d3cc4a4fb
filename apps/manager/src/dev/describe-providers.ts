import { callbackUrlOf } from '../modules/identity-providers/identity-provider.js';
import type { DevCredentials } from './dev-credentials.js';
import type { DevUrls } from './dev-file.js';
import type { ProviderClient, ProviderSettings } from './identity-provider/people.js';
import { demoTenants, type SeedIdentityProvider } from './seed-data.js';

/** Who can sign in at the development identity providers, and for whom they do it. */
export function describeProviders(urls: DevUrls, credentials: DevCredentials): ProviderSettings {
  const clientsOf = (kind: SeedIdentityProvider['kind']): ProviderClient[] =>
    demoTenants.flatMap(({ tenantId, identityProviders }) =>
      identityProviders
        .filter((provider) => provider.kind === kind)
        .map(({ name }) => {
          const { id, clientId, clientSecret } = credentials.identityProvider(tenantId, name);
          return { clientId, clientSecret, redirectUri: callbackUrlOf(`${urls.manager}/t/${tenantId}`, id) };
        }),
    );
  const people = demoTenants
    .flatMap((tenant) => tenant.people)
    .filter(({ signInWith }) => signInWith !== undefined)
    .map(({ email, displayName, claimedGroups }) => {
      return { email, displayName, password: credentials.password(email), groups: claimedGroups ?? [] };
    });
  const accounts = demoTenants.flatMap(({ tenantId, demo }) =>
    demo
      ? [{ login: tenantId, token: credentials.gitHubToken(tenantId), repositories: demo.services.github.repositories }]
      : [],
  );
  return { url: urls.providers, accounts, people, oidcClients: clientsOf('oidc'), oauth2Clients: clientsOf('oauth2') };
}
