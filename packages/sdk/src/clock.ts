/** Time and timers, injected. */
export interface Clock {
  /** Milliseconds that never go back: what leases, limits and expiries are counted on. */
  monotonic(): number;
  /** Epoch milliseconds: only for what people read. */
  wall(): number;
  /** Calls back once, without keeping the process alive; returns the cancel function. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves with `promise`, after `ms`, or when `signal` is aborted, and leaves nothing behind. */
export async function waitFor(
  promise: Promise<void>,
  { clock, ms, signal }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const abort = () => done.abort();
  if (signal.aborted) return;
  signal.addEventListener('abort', abort, { once: true });
  await Promise.race([promise, pause(clock, ms, done.signal)]).finally(() => {
    done.abort();
    signal.removeEventListener('abort', abort);
  });
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
