import { AppError } from '../../errors/app-error.js';

export interface PollLimit {
  /** Returns the release function; AppError 'rate_limited' when the key has too many. */
  take(key: string): () => void;
}

export function createPollLimit(max: number): PollLimit {
  const open = new Map<string, number>();
  return {
    take(key) {
      const count = open.get(key) ?? 0;
      if (count >= max) {
        throw new AppError('rate_limited', 'too many open polls', { headers: { 'Retry-After': '5' } });
      }
      open.set(key, count + 1);
      return () => {
        const left = (open.get(key) ?? 1) - 1;
        if (left > 0) open.set(key, left);
        else open.delete(key);
      };
    },
  };
}
