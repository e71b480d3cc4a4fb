import { setImmediate } from 'node:timers';
import type { Clock } from '../clock.js';

/** The system's time, and then what a test added. */
export interface TestClock extends Clock {
  /** Goes on by `ms` at once, from one timer that falls due to the next; `settled` is awaited after each. */
  advance(ms: number, settled: () => Promise<void>): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
  cancel: () => void;
}

export function createTestClock(): TestClock {
  const timers = new Set<Timer>();
  const epoch = Date.now() - performance.now();
  let added = 0;
  const monotonic = (): number => performance.now() + added;

  function fire(timer: Timer): void {
    timer.cancel();
    if (timers.delete(timer)) timer.callback();
  }

  function arm(timer: Timer): void {
    timer.cancel();
    const handle = setTimeout(() => fire(timer), Math.max(0, timer.at - monotonic()));
    handle.unref();
    timer.cancel = () => clearTimeout(handle);
  }

  return {
    monotonic,
    wall: () => epoch + monotonic(),
    after(ms, callback) {
      const timer: Timer = { at: monotonic() + ms, callback, cancel: () => {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timer.cancel();
        timers.delete(timer);
      };
    },
    async advance(ms, settled) {
      const end = monotonic() + ms;
      await settled();
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
        if (!next) break;
        added += Math.max(0, next.at - monotonic());
        fire(next);
        await settled();
      }
      added += Math.max(0, end - monotonic());
      for (const timer of timers) arm(timer);
      await settled();
    },
  };
}

/** Lets everything run that waits for nothing but its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
