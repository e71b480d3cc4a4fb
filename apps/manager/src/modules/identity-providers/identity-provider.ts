import type { IdentityProviderSettings } from '@authsec/manager-client/contract';
import type { FieldError } from '../../errors/app-error.js';

export type IdentityProviderKind = 'oidc' | 'oauth2';

/** A place of the tenant's where its people sign in. */
export interface IdentityProvider {
  readonly id: string;
  /** On the button. */
  readonly name: string;
  readonly kind: IdentityProviderKind;
  /** Exact; people are linked under it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly sealedClientSecret: Uint8Array | null;
  readonly settings: IdentityProviderSettings;
  readonly enabled: boolean;
  readonly createdAt: Date;
}

/** What binds a sealed client secret to its row. */
export function secretBinding(tenantId: string, providerId: string): string {
  return `${tenantId}/identity_providers/${providerId}`;
}

/** Each provider comes back to a URL of its own, so that no answer of one is taken for another's. */
export function callbackUrlOf(issuer: string, providerId: string): string {
  return `${issuer}/sign-in/callback/${providerId}`;
}

/** The part after the last `@`, in lower case; undefined where it is no address. */
export function domainOf(email: string): string | undefined {
  const at = email.lastIndexOf('@');
  const domain = email
    .slice(at + 1)
    .trim()
    .toLowerCase();
  return at > 0 && domain !== '' ? domain : undefined;
}

/** What the contract's schema cannot see: the parts must fit the kind and what this Manager may fetch. */
export function problemsOf(
  { kind, issuer, settings }: Pick<IdentityProvider, 'kind' | 'issuer' | 'settings'>,
  { allowHttp }: { readonly allowHttp: boolean },
): FieldError[] {
  const fields: FieldError[] = [];
  const refuse = (pointer: string, detail: string) => fields.push({ pointer, detail });
  const checkUrl = (pointer: string, value: string) => {
    const url = URL.parse(value);
    if (!url || url.username || url.password || url.hash)
      refuse(pointer, 'must be a URL without credentials and fragment');
    else if (url.protocol !== 'https:' && !allowHttp) refuse(pointer, 'must be https');
  };
  checkUrl('/issuer', issuer);
  if (kind === 'oidc' && URL.parse(issuer)?.search) refuse('/issuer', 'must have no query');
  if (kind === 'oidc' && settings.oauth2) refuse('/settings/oauth2', 'is only for the kind oauth2');
  if (kind === 'oidc' && settings.scope !== undefined && !settings.scope.split(' ').includes('openid')) {
    refuse('/settings/scope', 'must have openid among its scopes');
  }
  if (kind === 'oauth2' && !settings.oauth2) refuse('/settings/oauth2', 'is needed for the kind oauth2');
  for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'emails_endpoint'] as const) {
    const value = settings.oauth2?.[name];
    if (value !== undefined) checkUrl(`/settings/oauth2/${name}`, value);
  }
  if (settings.rights.length > 0 && settings.new_people !== 'create_with_rights') {
    refuse('/settings/rights', 'count only where new_people is create_with_rights');
  }
  return fields;
}
