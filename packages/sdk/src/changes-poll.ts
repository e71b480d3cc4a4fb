import { backoffMs, ManagerClientError, type ChangeFeed, type Changes } from '@authsec/manager-client';
import type { Logger } from './author-log.js';
import { pause, type Clock } from './clock.js';
import { inBackground } from './telemetry/trace-transport.js';

const backoff = { baseMs: 500, maxMs: 10_000 };
const spacingMs = { news: 100, nothing: 1_000 };

export interface PollAnswer extends Changes {
  readonly sentAt: number;
  readonly receivedAt: number;
  /** True for the first answer after the place in the feed was not known: it says nothing of what was before. */
  readonly first: boolean;
}

export interface ChangesPoll {
  start(): void;
  stop(): void;
}

export interface ChangesPollOptions {
  readonly changes: Pick<ChangeFeed, 'poll'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onAnswer: (answer: PollAnswer) => void;
  readonly random?: () => number;
}

/** The one long poll of an `authsec()`: runs between start and stop, and begins anew by itself when the Manager was away. */
export function createChangesPoll(options: ChangesPollOptions): ChangesPoll {
  const { changes, clock, log, onAnswer, random } = options;
  let running: AbortController | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    let after: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      const sentAt = clock.monotonic();
      try {
        const query = after === undefined ? { wait: 0 } : { after };
        const answer = await changes.poll(query, { signal, maxRetries: 0 });
        if (signal.aborted) return;
        if (failures > 0) log.info('the Manager answers again');
        failures = 0;
        onAnswer({ ...answer, sentAt, receivedAt: clock.monotonic(), first: after === undefined });
        const news = after === undefined || answer.policy_changed || answer.ended.length > 0;
        after = answer.cursor;
        const spacing = (news ? spacingMs.news : spacingMs.nothing) - (clock.monotonic() - sentAt);
        if (spacing > 0) await pause(clock, spacing, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ManagerClientError && error.code === 'invalid_request') after = undefined;
        if (failures === 0)
          log.warn('the Manager does not answer: calls go on until their leases end', reasonOf(error));
        const asked = error instanceof ManagerClientError ? (error.retryAfterMs ?? 0) : 0;
        const wait = Math.min(asked, backoff.maxMs) + backoffMs(failures++, backoff, random);
        await pause(clock, wait, signal);
      }
    }
  }

  return {
    start() {
      if (running) return;
      running = new AbortController();
      const { signal } = running;
      inBackground(() => void run(signal));
    },
    stop() {
      running?.abort();
      running = undefined;
    },
  };
}

function reasonOf(error: unknown): Record<string, unknown> {
  return error instanceof ManagerClientError
    ? { code: error.code, reason: error.message }
    : { reason: error instanceof Error ? error.name : 'unknown' };
}
