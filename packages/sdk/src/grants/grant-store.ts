import type { ActiveSession, ChangeFeed, Sessions } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { createChangesPoll, type PollAnswer } from '../changes-poll.js';
import type { Clock } from '../clock.js';
import { watchLogins } from '../telemetry/watched-logins.js';
import { BoundLogin, type LoginManifest } from './bound-login.js';
import type { Sent } from './lease.js';
import { createRenewals } from './renewals.js';

/** The bound logins of one `authsec()`: what they may is kept right by one long poll and batched renewals. */
export interface GrantStore {
  /** To be taken before the request whose answer is added. */
  sending(): Sent;
  add(session: ActiveSession, sent: Sent, onChange: () => void, manifest?: LoginManifest): BoundLogin;
  /** Forgets it at once; a renewal on its way changes nothing more. */
  remove(login: BoundLogin): void;
  close(): void;
}

export interface GrantStoreOptions {
  readonly sessions: Pick<Sessions, 'renew'>;
  readonly changes: Pick<ChangeFeed, 'poll'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
}

export function createGrantStore(options: GrantStoreOptions): GrantStore {
  const { clock, log } = options;
  const logins = new Map<string, BoundLogin>();
  /** Counts the positions in the change feed: a judgement asked for under an older one must be asked for again. */
  let generation = 0;

  const sending = (): Sent => ({ at: clock.monotonic(), generation });
  const unwatch = watchLogins({
    count: () => logins.size,
    leaseAgesMs: () => [...logins.values()].map((login) => login.leaseAgeMs()),
  });
  const renewals = createRenewals({ ...options, logins: () => logins.values(), sending });
  const poll = createChangesPoll({ ...options, onAnswer });

  function onAnswer(answer: PollAnswer): void {
    for (const { sid, reason } of answer.ended) {
      const login = logins.get(sid);
      login?.end(reason);
      if (login) log.info('a login ended at the Manager', { sub: login.sub, reason });
    }
    const from = generation++;
    if (!answer.first && !answer.policy_changed) {
      const { sentAt, receivedAt, held_ms: heldMs } = answer;
      for (const login of logins.values()) login.extend(from, generation, { sentAt, receivedAt, heldMs });
    }
    renewals.wake({ afresh: true });
  }

  function forget(login: BoundLogin): void {
    if (logins.get(login.sid) === login) logins.delete(login.sid);
    if (logins.size > 0) return;
    poll.stop();
    // Without the poll nobody knows what changed meanwhile.
    generation++;
  }

  return {
    sending,
    add(session, sent, onChange, manifest) {
      const login: BoundLogin = new BoundLogin(session, sent, clock, ended, manifest);
      function ended(): void {
        if (login.isOver()) forget(login);
        onChange();
      }
      logins.set(session.sid, login);
      poll.start();
      renewals.wake();
      return login;
    },
    remove(login) {
      login.release();
      forget(login);
    },
    close() {
      for (const login of logins.values()) login.release();
      logins.clear();
      unwatch();
      poll.stop();
      renewals.close();
    },
  };
}
