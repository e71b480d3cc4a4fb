import type { SeedIdentityProvider } from './seed-data.js';

/** What the development provider of this kind is called in metadata and links. */
export function devIssuerOf(providersUrl: string, { kind }: Pick<SeedIdentityProvider, 'kind'>): string {
  return `${providersUrl}/${kind === 'oidc' ? 'oidc' : 'devhub'}`;
}
