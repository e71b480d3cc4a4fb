import type { GitHubAccount } from '../github-api.js';

/** Somebody who can sign in at the development providers. */
export interface ProviderPerson {
  readonly email: string;
  readonly displayName: string;
  readonly password: string;
  /** What they belong to, as a claim. */
  readonly groups: readonly string[];
}

export interface ProviderClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
}

/** What the development identity providers are told in AUTHSEC_DEV_IDENTITY_PROVIDER. */
export interface ProviderSettings {
  readonly url: string;
  /** Whose tokens the API beside them takes. */
  readonly accounts: readonly GitHubAccount[];
  readonly people: readonly ProviderPerson[];
  readonly oidcClients: readonly ProviderClient[];
  readonly oauth2Clients: readonly ProviderClient[];
}

/** Wrong address and wrong password are one answer; a development provider has nothing to hide beyond that. */
export function findPerson(
  people: readonly ProviderPerson[],
  form: { readonly email?: unknown; readonly password?: unknown },
): ProviderPerson | undefined {
  return people.find(({ email, password }) => email === String(form.email).toLowerCase() && password === form.password);
}

/** The same at each start: what people are linked by. */
export function subjectOf({ email }: Pick<ProviderPerson, 'email'>): string {
  return `dev|${email}`;
}

/** GitHub's ids are numbers. */
export function numberOf({ email }: Pick<ProviderPerson, 'email'>): number {
  return Array.from(email).reduce(
    (hash, character) => (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007,
    7,
  );
}
