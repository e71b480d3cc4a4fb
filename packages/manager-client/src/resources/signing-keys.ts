import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { signingKeyRoutes as routes } from '../contract/signing-keys.js';

/** The keys that sign the tenant's tokens. */
export function createSigningKeys(call: CallRoute) {
  return {
    list: (options?: CallOptions) => call(routes.list, {}, options),

    rotate: (body: z.input<typeof routes.rotate.body & {}> = {}, options?: CallOptions) =>
      call(routes.rotate, { body }, options),

    /** Afterwards every token issued before is refused, that of this client too: it gets itself a new one. */
    revoke: (body: z.input<typeof routes.revoke.body & {}> = {}, options?: CallOptions) =>
      call(routes.revoke, { body }, options),
  };
}
export type SigningKeys = ReturnType<typeof createSigningKeys>;
