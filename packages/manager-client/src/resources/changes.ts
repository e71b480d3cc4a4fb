import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { changeRoutes as routes } from '../contract/changes.js';

/** What changed in the tenant, as far as the application's sessions are concerned. */
export function createChanges(call: CallRoute, timeoutMs: number) {
  return {
    /** Long poll: answers after `wait` seconds (25 unless told) at the latest. */
    poll: (query: z.input<typeof routes.poll.query & {}> = {}, options: CallOptions = {}) => {
      const waitMs = Number(query.wait ?? 25) * 1000;
      return call(routes.poll, { query }, { timeoutMs: waitMs + timeoutMs, ...options });
    },
  };
}
export type ChangeFeed = ReturnType<typeof createChanges>;
