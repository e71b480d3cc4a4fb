import { identityProviderSettingsSchema } from '@authsec/manager-client/contract';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { secretBinding } from '../modules/identity-providers/identity-provider.js';
import type { Sealer } from '../ports/sealer.js';
import type { DevCredentials } from './dev-credentials.js';
import { devIssuerOf } from './dev-issuer.js';
import { numberOf, subjectOf } from './identity-provider/people.js';
import type { SeedIdentityProvider, SeedPerson, SeedTenant } from './seed-data.js';

export interface SeedIdentityProvidersOptions {
  readonly tenant: SeedTenant;
  readonly credentials: DevCredentials;
  readonly sealer: Sealer;
  /** Where the development identity providers are at this start. */
  readonly providersUrl: string;
}

/** Makes the tenant's identity providers; where they are at another port than before, they and the links follow. */
export async function seedIdentityProviders(db: TenantDatabase, options: SeedIdentityProvidersOptions): Promise<void> {
  const { tenant, credentials, sealer, providersUrl } = options;
  for (const provider of tenant.identityProviders) {
    const { id, clientId, clientSecret } = credentials.identityProvider(tenant.tenantId, provider.name);
    const issuer = devIssuerOf(providersUrl, provider);
    const before = await db.identityProvider.findUnique({ where: { id } });
    if (before?.issuer === issuer) continue;
    const settings = settingsOf(provider, issuer);
    if (before) {
      await db.$transaction([
        db.identityProvider.update({ where: { id }, data: { issuer, settings } }),
        db.externalIdentity.updateMany({ where: { issuer: before.issuer }, data: { issuer } }),
      ]);
      continue;
    }
    const sealedClientSecret = sealer.seal(clientSecret, secretBinding(tenant.tenantId, id));
    const { name, kind } = provider;
    await db.identityProvider.create({ data: { id, name, kind, issuer, clientId, sealedClientSecret, settings } });
  }
}

function settingsOf({ kind, settings }: SeedIdentityProvider, issuer: string) {
  const oauth2 = {
    authorization_endpoint: `${issuer}/login/oauth/authorize`,
    token_endpoint: `${issuer}/login/oauth/access_token`,
    userinfo_endpoint: `${issuer}/user`,
    emails_endpoint: `${issuer}/user/emails`,
  };
  const forKind = kind === 'oauth2' ? { oauth2, token_endpoint_auth_method: 'client_secret_post' } : {};
  return identityProviderSettingsSchema.parse({ ...forKind, ...settings });
}

/** Under which a person who signs in elsewhere is known; undefined for one with a password here. */
export function seededIdentityOf(
  tenant: SeedTenant,
  person: SeedPerson,
  providersUrl: string,
): { readonly issuer: string; readonly subject: string } | undefined {
  const provider = tenant.identityProviders.find(({ name }) => name === person.signInWith);
  if (!provider) return undefined;
  const subject = provider.kind === 'oidc' ? subjectOf(person) : String(numberOf(person));
  return { issuer: devIssuerOf(providersUrl, provider), subject };
}
