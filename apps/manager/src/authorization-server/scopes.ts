/** Granted at every login, so that a person who holds no scope can sign in; in no token and not in the metadata. */
export const loginScope = 'authsec:login';

/** OpenID Connect Core; asks for an ID token. */
export const openidScope = 'openid';

/** The names that a request asks for, without those that are not an application's. */
export function requestedScopes(scope: string | undefined): string[] {
  return (scope ?? '').split(' ').filter((name) => name !== '' && name !== loginScope && name !== openidScope);
}

/** The scopes that a login is approved for: of those asked for, what the application may ask; in-band without asking, all of that. */
export function approvableScopes(
  applicationScopes: readonly string[],
  request: { readonly scope: string | undefined; readonly inBand: boolean },
): string[] {
  const requested = requestedScopes(request.scope);
  if (request.inBand && requested.length === 0) return [...applicationScopes];
  return applicationScopes.filter((name) => requested.includes(name));
}

/** RFC 6749 section 3.3: what can stand in a `scope` string. A name with other characters is in the `scopes` list only. */
export function toScopeString(names: readonly string[]): string {
  return names.filter((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name)).join(' ');
}
