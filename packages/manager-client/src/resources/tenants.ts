import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { tenantRoutes as routes } from '../contract/tenants.js';

/** Tenants; only for operators and machines of the system tenant. */
export function createTenants(call: CallRoute) {
  return {
    list: (options?: CallOptions) => call(routes.list, {}, options),

    /** Provisions a tenant; asked again, it goes on from where it stopped. */
    create: (tenantId: string, body: z.input<typeof routes.create.body & {}>, options?: CallOptions) =>
      call(routes.create, { params: { tenant_id: tenantId }, body }, options),

    /** Puts what is sealed for it under the first sealing key; asked again it goes on, until nothing remains. */
    rewrap: (tenantId: string, options?: CallOptions) =>
      call(routes.rewrap, { params: { tenant_id: tenantId } }, options),

    get: (tenantId: string, options?: CallOptions) => call(routes.get, { params: { tenant_id: tenantId } }, options),
  };
}
export type Tenants = ReturnType<typeof createTenants>;
