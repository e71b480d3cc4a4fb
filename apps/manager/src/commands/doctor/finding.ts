export type FindingStatus = 'ok' | 'warn' | 'fail';

/** What was looked at, and what it is like. */
export interface Finding {
  readonly status: FindingStatus;
  readonly check: string;
  /** Never a secret. */
  readonly found: string;
  /** What to do about it; of what is well there is nothing to do. */
  readonly advice?: string;
  /** All of what `found` has the beginning of; for machines. */
  readonly details?: readonly string[];
}

export const ok = (check: string, found: string): Finding => ({ status: 'ok', check, found });
export const warn = (check: string, found: string, advice: string): Finding => ({
  status: 'warn',
  check,
  found,
  advice,
});
export const fail = (check: string, found: string, advice: string): Finding => ({
  status: 'fail',
  check,
  found,
  advice,
});
