import { AppError } from '../../errors/app-error.js';
import type { AppErrorCode } from '../../errors/codes.js';

/** What is being waited for, as the code of the error that comes where it takes too long. */
export interface Progress {
  waitingFor: AppErrorCode;
}

/** Of a request for a credential, from when it came. */
export const budgetMs = 1_950;

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
