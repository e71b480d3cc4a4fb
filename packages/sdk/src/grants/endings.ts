import { backoffMs, type CallOptions, ManagerClientError } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { pause, waitFor, type Clock } from '../clock.js';

const backoff = { baseMs: 1_000, maxMs: 60_000 };
const maxQueued = 10_000;
const maxAtOnce = 16;
const attemptTimeoutMs = 5_000;

/** Ends things at the Manager, by their id, again and again while it is away. */
export interface Endings {
  /** True when the Manager ended it; false when that is left to the background. Never rejects. */
  end(id: string): Promise<boolean>;
  /** Waits for what is being ended and tries what is left once more, for so many milliseconds at most. */
  close(withinMs: number): Promise<void>;
}

export interface EndingsOptions {
  /** What they are, in the author's log. */
  readonly what: 'session' | 'lease';
  readonly end: (id: string, options: CallOptions) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
}

export function createEndings(options: EndingsOptions): Endings {
  const { what, clock, log, random } = options;
  const queue = new Set<string>();
  const closing = new AbortController();
  const ending = new Set<Promise<boolean>>();
  let working: Promise<void> | undefined;

  async function attempt(id: string, signal?: AbortSignal): Promise<boolean> {
    try {
      await options.end(id, { maxRetries: 0, timeoutMs: attemptTimeoutMs, signal });
      return true;
    } catch (error) {
      return error instanceof ManagerClientError && error.code === 'not_found';
    }
  }

  async function work(): Promise<void> {
    let failures = 0;
    while (queue.size > 0 && !closing.signal.aborted) {
      await pause(clock, backoffMs(failures, backoff, random), closing.signal);
      for (const id of queue) {
        if (closing.signal.aborted) return;
        queue.delete(id);
        if (await attempt(id, closing.signal)) failures = 0;
        else {
          queue.add(id);
          failures++;
          break;
        }
      }
    }
  }

  function enqueue(id: string): void {
    if (queue.size >= maxQueued) {
      log.error(`too many ${what}s wait to be ended at the Manager: one is left to expire`);
      return;
    }
    queue.add(id);
    if (!closing.signal.aborted) working ??= work().finally(() => (working = undefined));
  }

  async function endNow(id: string): Promise<boolean> {
    if (await attempt(id)) return true;
    log.warn(`a ${what} could not be ended at the Manager yet: tried again in the background`);
    enqueue(id);
    return false;
  }

  return {
    async end(id) {
      if (ending.size >= maxAtOnce) {
        enqueue(id);
        return false;
      }
      const ended = endNow(id);
      ending.add(ended);
      return ended.finally(() => ending.delete(ended));
    },
    async close(withinMs) {
      closing.abort();
      await working;
      const deadline = new AbortController();
      const cancel = clock.after(withinMs, () => deadline.abort());
      const ended = Promise.all(ending).then(() => {});
      await waitFor(ended, { clock, ms: withinMs, signal: deadline.signal });
      const left = [...queue];
      queue.clear();
      while (left.length > 0 && !deadline.signal.aborted) {
        await Promise.all(left.splice(0, maxAtOnce).map((id) => attempt(id, deadline.signal)));
      }
      cancel();
      if (left.length > 0) log.warn(`${what}s are left to expire at the Manager`, { count: left.length });
    },
  };
}
