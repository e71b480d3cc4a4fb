import { setTimeout as delay } from 'node:timers/promises';

/** For what comes by itself, sooner or later: reads until it holds, and gives what it read last, so that an assertion can say what was there instead. */
export async function eventually<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  withinMs = 40_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (holds(value) || performance.now() > deadline) return value;
    await delay(50);
  }
}
