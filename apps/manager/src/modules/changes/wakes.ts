export interface Wakes {
  wake(): void;
  /** Resolves at the next wake (at once where one came since the last time), when the time is over, or on abort. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

/** Remembers a wake that comes while nobody waits, so that none is lost between a look and the wait after it. */
export function createWakes(): Wakes {
  let pending = false;
  let resolve: (() => void) | undefined;
  return {
    wake() {
      pending = true;
      resolve?.();
    },
    async next(timeoutMs, signal) {
      if (!pending && !signal.aborted) {
        await new Promise<void>((done) => {
          const finish = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', finish);
            resolve = undefined;
            done();
          };
          const timer = setTimeout(finish, timeoutMs);
          signal.addEventListener('abort', finish);
          resolve = finish;
        });
      }
      pending = false;
    },
  };
}
