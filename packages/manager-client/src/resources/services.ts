import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { serviceRoutes as routes } from '../contract/services.js';

/** A tool waits for its credential: better an error in time than a credential too late. */
const credentialTimeoutMs = 2_300;

/** Services that tools use with a credential, and the credentials. */
export function createServices(call: CallRoute) {
  const at = (serviceId: string) => ({ params: { service_id: serviceId } });
  return {
    list: (options?: CallOptions) => call(routes.list, {}, options),

    create: (body: z.input<typeof routes.create.body & {}>, options?: CallOptions) =>
      call(routes.create, { body }, options),

    get: (serviceId: string, options?: CallOptions) => call(routes.get, at(serviceId), options),

    /** Where the secret would go elsewhere, `secret` must be given anew. */
    update: (serviceId: string, body: z.input<typeof routes.update.body & {}>, options?: CallOptions) =>
      call(routes.update, { ...at(serviceId), body }, options),

    delete: (serviceId: string, options?: CallOptions) => call(routes.delete, at(serviceId), options),

    /** A new secret; the one before it still works for `overlap_seconds`. */
    rotate: (serviceId: string, body: z.input<typeof routes.rotate.body & {}>, options?: CallOptions) =>
      call(routes.rotate, { ...at(serviceId), body }, options),

    test: (serviceId: string, options?: CallOptions) => call(routes.test, at(serviceId), options),

    /** For one call of a tool; never asked twice by itself, and given up after 2.3 s unless told. */
    issueCredential: (body: z.input<typeof routes.issueCredential.body & {}>, options?: CallOptions) =>
      call(routes.issueCredential, { body }, { timeoutMs: credentialTimeoutMs, ...options }),

    /** For a call that takes longer than its lease; never asked twice by itself, and given up after 2.3 s unless told. */
    renewLease: (leaseId: string, body: z.input<typeof routes.renewLease.body & {}>, options?: CallOptions) =>
      call(routes.renewLease, { params: { lease_id: leaseId }, body }, { timeoutMs: credentialTimeoutMs, ...options }),

    /** Ends a dynamic credential; ending an ended one succeeds too. */
    endLease: (leaseId: string, options?: CallOptions) =>
      call(routes.endLease, { params: { lease_id: leaseId } }, options),

    /** The link by which the person of a session connects their own account. */
    connect: (body: z.input<typeof routes.connect.body & {}>, options?: CallOptions) =>
      call(routes.connect, { body }, options),

    listConnections: (serviceId: string, options?: CallOptions) => call(routes.listConnections, at(serviceId), options),

    disconnect: (serviceId: string, sub: string, options?: CallOptions) =>
      call(routes.disconnect, { params: { service_id: serviceId, sub } }, options),
  };
}
export type Services = ReturnType<typeof createServices>;
