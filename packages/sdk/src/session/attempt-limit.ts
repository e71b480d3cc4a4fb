import type { Clock } from '../clock.js';

/** Takes one of the attempts; answers the seconds to wait when none is left. */
export type AttemptLimit = () => { readonly allowed: true } | { readonly allowed: false; readonly waitSeconds: number };

/** A token bucket: `burst` attempts at once, then one every `everyMs`. */
export function createAttemptLimit(clock: Clock, { burst, everyMs }: { burst: number; everyMs: number }): AttemptLimit {
  let left = burst;
  let countedAt = clock.monotonic();
  return () => {
    const now = clock.monotonic();
    left = Math.min(burst, left + (now - countedAt) / everyMs);
    countedAt = now;
    if (left < 1) return { allowed: false, waitSeconds: Math.ceil(((1 - left) * everyMs) / 1000) };
    left -= 1;
    return { allowed: true };
  };
}
