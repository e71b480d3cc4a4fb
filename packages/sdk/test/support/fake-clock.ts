import type { Clock } from '../../src/clock.js';

/** A clock that goes only when told; timers fire in order while it does. */
export function createFakeClock() {
  let now = 1_000_000;
  const timers = new Set<{ at: number; callback: () => void }>();
  const clock: Clock = {
    monotonic: () => now,
    wall: () => Date.UTC(2026, 0, 1) + now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  return {
    ...clock,
    timers: () => timers.size,
    /** Goes on by `ms`, and lets what timers set off run between them. */
    async advance(ms: number): Promise<void> {
      const end = now + ms;
      for (;;) {
        await settle();
        const next = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
      await settle();
    },
  };
}
export type FakeClock = ReturnType<typeof createFakeClock>;

/** Lets promises that need no I/O run to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Waits for a state that I/O brings about. */
export async function until(condition: () => boolean, what = 'the awaited state'): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
