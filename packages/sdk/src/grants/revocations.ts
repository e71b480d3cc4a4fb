import { backoffMs, ManagerClientError, type Sessions } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { pause, waitFor, type Clock } from '../clock.js';

const backoff = { baseMs: 1_000, maxMs: 60_000 };
const maxQueued = 10_000;
const maxAtOnce = 16;
const attemptTimeoutMs = 5_000;

/** Ends sessions at the Manager, again and again while it is away. */
export interface Revocations {
  /** True when the Manager ended it; false when that is left to the background. Never rejects. */
  end(sid: string): Promise<boolean>;
  /** Waits for what is being ended and tries what is left once more, for so many milliseconds at most. */
  close(withinMs: number): Promise<void>;
}

export interface RevocationsOptions {
  readonly sessions: Pick<Sessions, 'revoke'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
}

export function createRevocations({ sessions, clock, log, random }: RevocationsOptions): Revocations {
  const queue = new Set<string>();
  const closing = new AbortController();
  const ending = new Set<Promise<boolean>>();
  let working: Promise<void> | undefined;

  async function attempt(sid: string, signal?: AbortSignal): Promise<boolean> {
    try {
      await sessions.revoke(sid, { reason: 'logged_out' }, { maxRetries: 0, timeoutMs: attemptTimeoutMs, signal });
      return true;
    } catch (error) {
      return error instanceof ManagerClientError && error.code === 'not_found';
    }
  }

  async function work(): Promise<void> {
    let failures = 0;
    while (queue.size > 0 && !closing.signal.aborted) {
      await pause(clock, backoffMs(failures, backoff, random), closing.signal);
      for (const sid of queue) {
        if (closing.signal.aborted) return;
        queue.delete(sid);
        if (await attempt(sid, closing.signal)) failures = 0;
        else {
          queue.add(sid);
          failures++;
          break;
        }
      }
    }
  }

  function enqueue(sid: string): void {
    if (queue.size >= maxQueued) {
      log.error('too many sessions wait to be ended at the Manager: one is left to expire');
      return;
    }
    queue.add(sid);
    if (!closing.signal.aborted) working ??= work().finally(() => (working = undefined));
  }

  async function endNow(sid: string): Promise<boolean> {
    if (await attempt(sid)) return true;
    log.warn('a session could not be ended at the Manager yet: tried again in the background');
    enqueue(sid);
    return false;
  }

  return {
    async end(sid) {
      if (ending.size >= maxAtOnce) {
        enqueue(sid);
        return false;
      }
      const ended = endNow(sid);
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
        await Promise.all(left.splice(0, maxAtOnce).map((sid) => attempt(sid, deadline.signal)));
      }
      cancel();
      if (left.length > 0) log.warn('sessions are left to expire at the Manager', { count: left.length });
    },
  };
}
