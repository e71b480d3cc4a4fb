export interface RateLimit {
  /** Takes one point of the key's budget; AppError 'rate_limited' with Retry-After when there is none left. */
  consume(key: string): Promise<void>;
}

/** One that is only for what failed: the point of what went well is returned. */
interface RefundableRateLimit extends RateLimit {
  /** As `consume`. What it answers with returns the point, as long as the window lasts that it was taken from. */
  borrow(key: string): Promise<() => Promise<void>>;
}

/** Counters that all replicas share; while the store is away each replica counts by itself. */
export interface RateLimits {
  /** One limit a name: `points` in any `windowSeconds`. Keys are stored hashed. */
  create(name: string, options: { readonly points: number; readonly windowSeconds: number }): RefundableRateLimit;
  close(): Promise<void>;
}
