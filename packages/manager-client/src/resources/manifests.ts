import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { manifestRoutes as routes } from '../contract/manifests.js';

/** The tools that applications declare, and what of them the person of a session may use. */
export function createManifests(call: CallRoute) {
  return {
    /** Publishes the application's own; the same digest again changes nothing, unless `make_current` is said. */
    publish: (
      digest: string,
      body: z.input<typeof routes.publish.body & {}>,
      query: z.input<typeof routes.publish.query & {}> = {},
      options?: CallOptions,
    ) => call(routes.publish, { params: { digest }, query, body }, options),

    list: (query: z.input<typeof routes.list.query & {}> = {}, options?: CallOptions) =>
      call(routes.list, { query }, options),

    get: (digest: string, query: z.input<typeof routes.get.query & {}> = {}, options?: CallOptions) =>
      call(routes.get, { params: { digest }, query }, options),

    changes: (digest: string, query: z.input<typeof routes.changes.query & {}>, options?: CallOptions) =>
      call(routes.changes, { params: { digest }, query }, options),

    ofSession: (sid: string, options?: CallOptions) => call(routes.sessionTools, { params: { sid } }, options),
  };
}
export type Manifests = ReturnType<typeof createManifests>;
