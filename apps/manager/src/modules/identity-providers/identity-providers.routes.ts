import { identityProviderRoutes } from '@authsec/manager-client/contract';
import { Secret } from '../../config/secret.js';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { IdentityProvidersService } from './identity-providers.service.js';

export function createIdentityProviderRoutes(providers: IdentityProvidersService): BoundRoute[] {
  const secretOf = (value: string | null | undefined) => (typeof value === 'string' ? new Secret(value) : value);
  return [
    bindRoute(identityProviderRoutes.list, async ({ caller }) => ({
      identity_providers: await providers.list(caller),
    })),
    bindRoute(identityProviderRoutes.create, ({ caller, body, requestId }) => {
      const { client_id: clientId, client_secret: secret, ...rest } = body;
      const clientSecret = secret === undefined ? undefined : new Secret(secret);
      return providers.create(caller, { ...rest, clientId, clientSecret }, requestId);
    }),
    bindRoute(identityProviderRoutes.get, ({ caller, params }) => providers.get(caller, params.identity_provider_id)),
    bindRoute(identityProviderRoutes.update, ({ caller, params, body, requestId }) => {
      const { name, client_id: clientId, client_secret: secret, enabled, settings } = body;
      const clientSecret = secretOf(secret);
      const change = {
        ...(name !== undefined && { name }),
        ...(clientId !== undefined && { clientId }),
        ...(clientSecret !== undefined && { clientSecret }),
        ...(enabled !== undefined && { enabled }),
        ...(settings !== undefined && { settings }),
      };
      return providers.update(caller, params.identity_provider_id, change, requestId);
    }),
    bindRoute(identityProviderRoutes.delete, ({ caller, params, requestId }) =>
      providers.remove(caller, params.identity_provider_id, requestId),
    ),
    bindRoute(identityProviderRoutes.getSignInSettings, ({ caller }) => providers.getSignInSettings(caller)),
    bindRoute(identityProviderRoutes.updateSignInSettings, ({ caller, body, requestId }) =>
      providers.updateSignInSettings(caller, body.password_enabled, requestId),
    ),
  ];
}
