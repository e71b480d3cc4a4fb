export interface RateLimit {
  /** Takes one point of the key's budget; AppError 'rate_limited' with Retry-After when there is none left. */
  consume(key: string): Promise<void>;
}

/** One that is only for what failed: what went well is not counted. */
interface RefundableRateLimit extends RateLimit {
  /** Returns the point that `consume` took. */
  giveBack(key: string): Promise<void>;
}

/** Counters that all replicas share; while the store is away each replica counts by itself. */
export interface RateLimits {
  /** One limit a name: `points` in any `windowSeconds`. Keys are stored hashed. */
  create(name: string, options: { readonly points: number; readonly windowSeconds: number }): RefundableRateLimit;
  close(): Promise<void>;
}
