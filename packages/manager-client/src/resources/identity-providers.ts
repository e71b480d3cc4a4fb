import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { identityProviderRoutes as routes } from '../contract/identity-providers.js';

/** Where people of the tenant may sign in, and whether with a password. */
export function createIdentityProviders(call: CallRoute) {
  return {
    list: (options?: CallOptions) => call(routes.list, {}, options),

    create: (body: z.input<typeof routes.create.body & {}>, options?: CallOptions) =>
      call(routes.create, { body }, options),

    get: (id: string, options?: CallOptions) => call(routes.get, { params: { identity_provider_id: id } }, options),

    update: (id: string, body: z.input<typeof routes.update.body & {}>, options?: CallOptions) =>
      call(routes.update, { params: { identity_provider_id: id }, body }, options),

    delete: (id: string, options?: CallOptions) =>
      call(routes.delete, { params: { identity_provider_id: id } }, options),

    getSignInSettings: (options?: CallOptions) => call(routes.getSignInSettings, {}, options),

    updateSignInSettings: (body: z.input<typeof routes.updateSignInSettings.body & {}>, options?: CallOptions) =>
      call(routes.updateSignInSettings, { body }, options),
  };
}
export type IdentityProviders = ReturnType<typeof createIdentityProviders>;
