import { randomBytes } from 'node:crypto';
import type { Changes, SessionState } from '@authsec/manager-client';
import type { Clock } from '../clock.js';
import type { Person } from './test-people.js';

type EndReason = Extract<SessionState, { status: 'ended' }>['reason'];

export interface TestSession {
  readonly sid: string;
  readonly email: string;
  readonly mcpSession: string;
  readonly clientName: string | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** The Idempotency-Key that bound it. */
  bindKey?: string;
  ended?: { readonly reason: EndReason; readonly sequence: number };
  /** What the application was last told of it. */
  told: { version: number; ended: boolean };
}

interface HeldPoll {
  readonly after: readonly [version: number, sequence: number];
  readonly since: number;
  answer(changes: Changes): void;
}

/** The tables of one tenant of a Manager in memory, and its change feed. */
export interface TestSessions {
  open(login: { person: Person; mcpSession: string; clientName: string | null }): TestSession;
  find(sid: string): TestSession | undefined;
  /** As the API answers it; takes note that the application was told. */
  view(sid: string): SessionState;
  end(session: TestSession, reason: EndReason): void;
  endAllOf(email: string, reason: EndReason): void;
  /** The tables changed: whoever waits for that is told. */
  bump(): void;
  /** Answers at once what changed after `cursor`, or when something does, or after `waitMs`. Undefined when `signal` ended the wait. */
  changes(cursor: string | undefined, waitMs: number, signal: AbortSignal | undefined): Promise<Changes | undefined>;
  /** Whether an application relies on something that is no longer so, and may yet be told. */
  hasUntold(): boolean;
}

export function createTestSessions(options: {
  readonly tenantId: string;
  readonly clock: Clock;
  readonly people: ReadonlyMap<string, Person>;
  readonly sessionSeconds: number;
}): TestSessions {
  const { tenantId, clock, people, sessionSeconds } = options;
  const sessions = new Map<string, TestSession>();
  const polls = new Set<HeldPoll>();
  let version = 1;
  let sequence = 0;

  function changesSince({ after, since }: Pick<HeldPoll, 'after' | 'since'>): Changes {
    const ended = [...sessions.values()].flatMap((session) => {
      if (session.ended === undefined || session.ended.sequence <= after[1]) return [];
      session.told.ended = true;
      return [{ sid: session.sid, reason: session.ended.reason }];
    });
    return {
      cursor: `${version}.${sequence}`,
      policy_changed: after[0] !== version,
      ended,
      held_ms: Math.max(0, clock.monotonic() - since),
    };
  }

  function wake(): void {
    for (const poll of polls) poll.answer(changesSince(poll));
  }

  function lapse(session: TestSession): void {
    if (clock.wall() >= session.expiresAt) end(session, 'expired');
    else if (!people.has(session.email)) end(session, 'user_disabled');
  }

  function end(session: TestSession, reason: EndReason): void {
    if (session.ended) return;
    session.ended = { reason, sequence: ++sequence };
    // The application that logs out knows.
    if (reason === 'logged_out') session.told.ended = true;
    wake();
  }

  return {
    open({ person, mcpSession, clientName }) {
      const sid = randomBytes(24).toString('base64url');
      const expiresAt = clock.wall() + sessionSeconds * 1_000;
      const told = { version, ended: false };
      const session: TestSession = { sid, email: person.email, mcpSession, clientName, expiresAt, told };
      sessions.set(sid, session);
      return session;
    },
    find: (sid) => sessions.get(sid),
    view(sid) {
      const session = sessions.get(sid);
      if (!session) return { status: 'ended', sid, reason: 'unknown' };
      lapse(session);
      const person = people.get(session.email);
      session.told = { version, ended: session.ended !== undefined };
      if (session.ended || !person) return { status: 'ended', sid, reason: session.ended?.reason ?? 'unknown' };
      const now = clock.wall();
      const { grants, nextChangeAt } = person.grantsAt(now);
      const horizonSeconds = (Math.min(session.expiresAt, nextChangeAt ?? Infinity) - now) / 1_000;
      return {
        status: 'active',
        sid,
        tenant_id: tenantId,
        sub: person.sub,
        email: person.email,
        grants: {
          roles: [...grants.roles],
          groups: [...grants.groups],
          scopes: [...grants.scopes],
          resources: [...grants.resources],
          permissions: [...grants.permissions],
        },
        lease_seconds: Math.min(30, horizonSeconds),
        horizon_seconds: horizonSeconds,
        policy_version: String(version),
      };
    },
    end,
    endAllOf(email, reason) {
      for (const session of sessions.values()) if (session.email === email) end(session, reason);
    },
    bump() {
      version++;
      wake();
    },
    changes(cursor, waitMs, signal) {
      const since = clock.monotonic();
      const [afterVersion = version, afterSequence = sequence] = cursor?.split('.').map(Number) ?? [];
      const asked = { after: [afterVersion, afterSequence] as const, since };
      const news = afterVersion !== version || afterSequence !== sequence;
      if (cursor === undefined || news || waitMs === 0) return Promise.resolve(changesSince(asked));
      return new Promise((resolve) => {
        const done = (changes: Changes | undefined): void => {
          polls.delete(poll);
          cancel();
          signal?.removeEventListener('abort', aborted);
          resolve(changes);
        };
        const aborted = (): void => done(undefined);
        const poll: HeldPoll = { ...asked, answer: done };
        const cancel = clock.after(waitMs, () => done(changesSince(poll)));
        polls.add(poll);
        signal?.addEventListener('abort', aborted, { once: true });
      });
    },
    hasUntold: () =>
      [...sessions.values()].some(
        ({ bindKey, told, ended }) =>
          bindKey !== undefined && !told.ended && (ended !== undefined || told.version !== version),
      ),
  };
}
