import { ManagerClientError } from './manager-client-error.js';

export interface Backoff {
  /** Milliseconds; the ceiling of the first wait, doubled for each further one. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Milliseconds to wait before attempt `attempt` + 1 (counted from 0): exponential with full jitter. */
export function backoffMs(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  return random() * Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
}

/** Retry-After (RFC 9110) in milliseconds: seconds or a date. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const passingStatuses = new Set([429, 502, 503, 504]);

/** Whether the same request may be answered differently a moment later. */
export function isPassing(error: ManagerClientError): boolean {
  if (error.status !== undefined) return passingStatuses.has(error.status);
  return error.code === 'timeout' || error.code === 'unreachable';
}

export interface RetryOptions {
  readonly maxRetries: number;
  readonly backoff: Backoff;
  /** A longer Retry-After than this is not waited for. */
  readonly maxRetryAfterMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly random?: () => number;
}

/** Runs `attempt` again while it fails with what passes; the caller answers for it being safe to repeat. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let count = 0; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ManagerClientError) || count >= options.maxRetries || !isPassing(error)) throw error;
      const asked = error.retryAfterMs ?? 0;
      if (asked > options.maxRetryAfterMs) throw error;
      await wait(asked + backoffMs(count, options.backoff, options.random), options.signal);
    }
  }
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer);
      reject(new ManagerClientError('aborted', 'aborted while waiting to try again'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}
