import { backoffMs, ManagerClientError, type Sessions } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { pause, type Clock } from '../clock.js';
import { inBackground } from '../telemetry/trace-transport.js';
import type { BoundLogin } from './bound-login.js';
import type { Sent } from './lease.js';

const batchSize = 500;
const backoff = { baseMs: 250, maxMs: 10_000 };
/** Requests that one round may spend on finding which session spoils its batch. */
const splitBudget = 24;

export interface RenewalsOptions {
  readonly sessions: Pick<Sessions, 'renew'>;
  readonly logins: () => Iterable<BoundLogin>;
  /** Now, and where the change feed stands. */
  readonly sending: () => Sent;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
}

export interface Renewals {
  /** Renews what is due, at once; `afresh` cuts short a wait for the Manager to come back. */
  wake(options?: { afresh?: boolean }): void;
  close(): void;
}

/** Renews logins in batches when their rights may have changed or their lease ends, one request at a time. */
export function createRenewals(options: RenewalsOptions): Renewals {
  const { clock, log, sending, random } = options;
  const closing = new AbortController();
  let waiting = new AbortController();
  let running = false;
  let again = false;
  let cancelTimer = () => {};

  function due(): { now: BoundLogin[]; next: number } {
    const { at, generation } = sending();
    const now: BoundLogin[] = [];
    let next = Infinity;
    for (const login of options.logins()) {
      const dueAt = login.dueAt(generation);
      if (dueAt <= at) now.push(login);
      else next = Math.min(next, dueAt);
    }
    return { now, next };
  }

  async function run(): Promise<void> {
    let failures = 0;
    for (;;) {
      const { now, next } = due();
      if (closing.signal.aborted) return;
      if (now.length === 0) {
        if (next !== Infinity) cancelTimer = clock.after(next - sending().at, wake);
        return;
      }
      if (await renewAll(now)) {
        failures = 0;
        continue;
      }
      if (closing.signal.aborted) return;
      waiting = new AbortController();
      await pause(clock, backoffMs(failures++, backoff, random), waiting.signal);
    }
  }

  async function renewAll(logins: readonly BoundLogin[]): Promise<boolean> {
    const budget = { left: splitBudget };
    let all = true;
    for (let start = 0; start < logins.length && !closing.signal.aborted; start += batchSize) {
      if (!(await renewBatch(logins.slice(start, start + batchSize), budget))) all = false;
    }
    return all;
  }

  function untold(logins: readonly BoundLogin[]): { login: BoundLogin; digest: string }[] {
    return logins.flatMap((login) => {
      const digest = login.untoldManifest();
      return digest === undefined ? [] : [{ login, digest }];
    });
  }

  /** False when any of them got no answer that counts. */
  async function renewBatch(logins: readonly BoundLogin[], budget: { left: number }): Promise<boolean> {
    const sent = sending();
    const bySid = new Map(logins.map((login) => [login.sid, login]));
    for (const login of logins) login.asked(sent.at);
    try {
      const sids = [...bySid.keys()];
      const manifests = untold(logins);
      const answer = await options.sessions.renew(sids, {
        signal: closing.signal,
        maxRetries: 0,
        ...(manifests.length > 0 && { manifests: manifests.map(({ login, digest }) => ({ sid: login.sid, digest })) }),
      });
      for (const { login, digest } of manifests) login.toldManifest(digest);
      for (const session of answer.sessions)
        if (bySid.get(session.sid)?.apply(session, sent)) bySid.delete(session.sid);
      if (bySid.size > 0) log.debug('some sessions got no answer that counts', { count: bySid.size });
      return bySid.size === 0;
    } catch (error) {
      if (closing.signal.aborted) return false;
      const code = error instanceof ManagerClientError ? error.code : 'unknown';
      log.debug('sessions could not be renewed', { code, count: logins.length });
      const spoiled = error instanceof ManagerClientError && code === 'invalid_response' && error.status === 200;
      if (!spoiled || logins.length === 1 || budget.left <= 0) return false;
      budget.left -= 2;
      const middle = logins.length >> 1;
      const first = await renewBatch(logins.slice(0, middle), budget);
      return (await renewBatch(logins.slice(middle), budget)) && first;
    }
  }

  function wake({ afresh = false }: { afresh?: boolean } = {}): void {
    if (closing.signal.aborted) return;
    if (afresh) waiting.abort();
    again = running;
    if (running) return;
    cancelTimer();
    running = true;
    const ended = () => {
      running = false;
      if (again) wake();
    };
    inBackground(() => void run().finally(ended));
  }

  return {
    wake,
    close() {
      closing.abort();
      waiting.abort();
      cancelTimer();
    },
  };
}
