import type { z } from 'zod';
import type { CallOptions, CallRoute, KeyedCallOptions } from '../call-route.js';
import { decisionRoutes as routes } from '../contract/decisions.js';

/** Decisions that the Manager takes by the same evaluator as the SDK, and keeps. */
export function createDecisions(call: CallRoute) {
  return {
    decide: (body: z.input<typeof routes.decide.body & {}>, options?: KeyedCallOptions) =>
      call(routes.decide, { body }, { ...options, keyed: true }),

    get: (decisionId: string, options?: CallOptions) =>
      call(routes.get, { params: { decision_id: decisionId } }, options),
  };
}
export type Decisions = ReturnType<typeof createDecisions>;
