import type { ActiveSession, Changes, SessionState } from '@authsec/manager-client';
import { ManagerClientError } from '@authsec/manager-client';
import { createGrantStore } from '../../src/grants/grant-store.js';
import { createFakeClock } from './fake-clock.js';

interface Asked<Answer> {
  readonly at: number;
  answer(value: Answer): void;
  fail(code?: 'unreachable' | 'invalid_response', status?: number): void;
}
export type AskedPoll = Asked<Changes> & { readonly after: string | undefined; aborted(): boolean };
export type AskedRenewal = Asked<SessionState[]> & { readonly sids: readonly string[] };

/** A grant store whose polls and renewals the test answers, on a clock that it moves. */
export function createStore() {
  const clock = createFakeClock();
  const polls: AskedPoll[] = [];
  const renewals: AskedRenewal[] = [];

  function asked<Answer, More extends object>(list: (Asked<Answer> & More)[], more: More, signal?: AbortSignal) {
    return new Promise<Answer>((resolve, reject) => {
      const abort = () => fail('aborted');
      const done = () => signal?.removeEventListener('abort', abort);
      const fail = (code: 'unreachable' | 'invalid_response' | 'aborted' = 'unreachable', status?: number) => {
        done();
        reject(new ManagerClientError(code, code, { status }));
      };
      const answer = (value: Answer) => {
        done();
        resolve(value);
      };
      signal?.addEventListener('abort', abort, { once: true });
      list.push({ at: clock.monotonic(), answer, fail, ...more });
    });
  }

  const nothing = () => {};
  const store = createGrantStore({
    sessions: {
      renew: async (sids, options) => ({ sessions: await asked(renewals, { sids }, options?.signal) }),
    },
    changes: {
      poll: (query, options) => {
        const aborted = () => options?.signal?.aborted === true;
        return asked(polls, { after: query?.after, aborted }, options?.signal);
      },
    },
    clock,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    random: () => 0.5,
  });
  return { clock, store, polls, renewals };
}

export function active(sid: string, change: Partial<ActiveSession> & { roles?: string[] } = {}): ActiveSession {
  const { roles = ['admin'], ...rest } = change;
  return {
    status: 'active',
    sid,
    tenant_id: 'acme',
    sub: `sub-of-${sid}`,
    email: `${sid}@acme.example`,
    grants: { roles, groups: [], scopes: [], resources: [], permissions: [] },
    lease_seconds: 30,
    horizon_seconds: 36_000,
    policy_version: '1',
    ...rest,
  };
}

export function changes(cursor: string, change: Partial<Changes> = {}): Changes {
  return { cursor, policy_changed: false, ended: [], held_ms: 25_000, ...change };
}
