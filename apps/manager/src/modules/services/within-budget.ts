import { AppError } from '../../errors/app-error.js';
import type { AppErrorCode } from '../../errors/codes.js';
import type { Clock } from '../../ports/clock.js';

/** What is being waited for, as the code of the error that comes where it takes too long. */
export interface Progress {
  waitingFor: AppErrorCode;
}

/**
 * The result of the work, or an AppError when the time is over, whatever hangs. The signal tells the work that nobody
 * waits any more; what it still comes to is dropped.
 */
export async function withinBudget<T>(
  ms: number,
  work: (progress: Progress, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const progress: Progress = { waitingFor: 'tenant_unavailable' };
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(new AppError(progress.waitingFor, `it took longer than ${Math.round(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work(progress, controller.signal), over]);
  } finally {
    clearTimeout(timer);
  }
}

const credentialMs = 1_950;

/** The same for a request that a tool waits for a credential by: two seconds, counted from when it came. */
export function withinCredentialBudget<T>(
  clock: Pick<Clock, 'monotonic'>,
  { receivedAt }: { readonly receivedAt: number },
  work: (progress: Progress, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = credentialMs - (clock.monotonic() - receivedAt);
  return withinBudget(Math.max(1, left), work);
}
