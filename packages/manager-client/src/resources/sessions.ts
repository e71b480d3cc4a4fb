import type { z } from 'zod';
import type { CallOptions, CallRoute, KeyedCallOptions } from '../call-route.js';
import { sessionRoutes as routes } from '../contract/sessions.js';

export interface RenewOptions extends CallOptions {
  /** The manifests of those whose server has other tools than it said at the bind. */
  manifests?: { sid: string; digest: string }[] | undefined;
}

/** In-band logins of the application. */
export function createSessions(call: CallRoute) {
  return {
    /** Binds a login, once; with the same key it may be asked again and gets the same answer. */
    bind: (body: z.input<typeof routes.bind.body & {}>, options?: KeyedCallOptions) =>
      call(routes.bind, { body }, { ...options, keyed: true }),

    /** Re-evaluates up to 500 sessions; the answers are in no particular order. */
    renew: (sids: readonly string[], { manifests, ...options }: RenewOptions = {}) =>
      call(routes.renew, { body: { sids: [...sids], manifests } }, { ...options, keyed: true }),

    list: (query: z.input<typeof routes.list.query & {}> = {}, options?: CallOptions) =>
      call(routes.list, { query }, options),

    get: (sid: string, options?: CallOptions) => call(routes.get, { params: { sid } }, options),

    /** Ends the login; ending an ended one succeeds too. */
    revoke: (sid: string, query: z.input<typeof routes.revoke.query & {}> = {}, options?: CallOptions) =>
      call(routes.revoke, { params: { sid }, query }, options),
  };
}
export type Sessions = ReturnType<typeof createSessions>;
