import type { Route } from '@authsec/manager-client/contract';
import type { z } from 'zod';
import type { Caller } from '../authorization/caller.js';

/** One authorized call of an API route, its parts as the contract's schemas gave them. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly requestId: string;
  /** The Idempotency-Key header, where one was sent. */
  readonly idempotencyKey: string | undefined;
  /** When the request was received, on the monotonic clock. */
  readonly receivedAt: number;
  /** Says that something new was made, for a route with a `createdStatus`. */
  readonly created: () => void;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface BoundRoute {
  readonly route: Route;
  readonly run: (call: Call) => Promise<unknown>;
}

/** Ties a route of the contract to its handler, by the contract's types. */
export function bindRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  route: Route<P, Q, B, R>,
  handler: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.input<R>>,
): BoundRoute {
  return { route, run: handler as (call: Call) => Promise<unknown> };
}
