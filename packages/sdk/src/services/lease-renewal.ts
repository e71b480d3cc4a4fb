import type { Logger } from '../author-log.js';
import { AuthSecError, type AuthSecErrorCode } from '../authsec-error.js';
import type { Clock } from '../clock.js';

/** The time of a lease, which is made longer while somebody needs it. */
export interface LeaseRenewal {
  /** On the monotonic clock. */
  readonly endsAt: number;
  stop(): void;
}

/** Tried again while there is time. */
const passing: ReadonlySet<AuthSecErrorCode> = new Set([
  'manager_unavailable',
  'policy_unavailable',
  'secret_store_unavailable',
  'service_unavailable',
]);
/** Below that there is no time to ask, or nothing was gained. */
const leastMs = 2_000;

/** Asks at two thirds of what is left, until it is refused, or the lease may last no longer. */
export function renewLease(options: {
  /** Of the service, in the author's log. */
  readonly name: string;
  readonly endsAt: number;
  /** The seconds that it now lasts, counted from when this is called. Rejects with AuthSecError. */
  readonly renew: () => Promise<number>;
  readonly clock: Clock;
  readonly log: Logger;
}): LeaseRenewal {
  const { name, renew, clock, log } = options;
  let { endsAt } = options;
  let stopped = false;
  let cancel = (): void => {};

  function plan(): void {
    const left = endsAt - clock.monotonic();
    if (!stopped && left >= leastMs) cancel = clock.after((left * 2) / 3, () => void attempt());
  }

  async function attempt(): Promise<void> {
    const askedAt = clock.monotonic();
    try {
      const until = askedAt + (await renew()) * 1_000;
      const gained = until - endsAt;
      endsAt = until;
      if (gained >= leastMs) plan();
    } catch (error) {
      if (stopped) return;
      if (error instanceof AuthSecError && passing.has(error.code)) return plan();
      log.warn(`the lease of a credential of ${name} is not renewed, and ends: ${String(error)}`);
    }
  }

  plan();
  return {
    get endsAt() {
      return endsAt;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
