import type { Changes } from '@authsec/manager-client/contract';
import { type Caller, reachesSession } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { EventBus } from '../../ports/event-bus.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import { type FeedPosition, readFeed } from './changes.repository.js';
import { createPollLimit } from './poll-limit.js';
import { createWakes } from './wakes.js';

export interface PollRequest {
  readonly caller: Caller;
  readonly after: string | undefined;
  readonly waitSeconds: number;
  /** When the request came in, on the monotonic clock. */
  readonly receivedAt: number;
  /** Ends the wait when the client goes away. */
  readonly signal: AbortSignal;
}

export interface ChangesService {
  /** AppError 'rate_limited' when the application has too many polls open. */
  poll(request: PollRequest): Promise<Changes>;
  /** Open now, in this process. */
  openPolls(): number;
  /** Answers all open polls at once: the process is about to stop. */
  stop(): void;
}

export interface ChangesOptions {
  readonly events: EventBus;
  readonly clock: Clock;
  readonly telemetry?: Pick<Telemetry, 'record'>;
  /** Open polls an application may have in this process. */
  readonly maxPollsPerApplication?: number;
}

const maxEnded = 1_000;
/** A remembered login may be in several processes of one person. */
const maxPollsPerSession = 10;

/** The change feed: looks at the database, waits for a wake, looks again; what is not woken is seen when the wait ends. */
export function createChangesService(options: ChangesOptions): ChangesService {
  const { events, clock, maxPollsPerApplication = 100, telemetry = noTelemetry } = options;
  const limit = createPollLimit(maxPollsPerApplication);
  const sessionLimit = createPollLimit(maxPollsPerSession);
  const stopping = new AbortController();
  let open = 0;

  async function look(request: PollRequest, after: FeedPosition | undefined): Promise<Changes & { news: boolean }> {
    const heldMs = Math.max(0, Math.floor(clock.monotonic() - request.receivedAt));
    const { db, application } = request.caller;
    const question = { applicationId: application.id, after: after?.sessionSequence ?? maxBigint, limit: maxEnded + 1 };
    const { position, ended, movedSecondsAgo } = await readFeed(db, question);
    const reached = ended.filter(({ sid }) => reachesSession(request.caller, sid));
    // A feed that stands before the cursor is another one (a restored database); of too many only that there are.
    const rewound = after !== undefined && position.sessionSequence < after.sessionSequence;
    const tooMany = ended.length > maxEnded;
    const policyChanged = after !== undefined && (position.policyVersion !== after.policyVersion || rewound || tooMany);
    const news = policyChanged || reached.length > 0;
    if (news) {
      const waited = movedSecondsAgo * 1000 <= heldMs;
      telemetry.record({ kind: 'change_pushed', waited, seconds: movedSecondsAgo });
    }
    return {
      cursor: `${position.policyVersion}.${position.sessionSequence}`,
      policy_changed: policyChanged,
      ended: reached.slice(0, maxEnded).map(({ sid, reason }) => ({ sid, reason })),
      held_ms: heldMs,
      news,
    };
  }

  async function wait(request: PollRequest, after: FeedPosition | undefined): Promise<Changes & { news: boolean }> {
    const wakes = createWakes();
    const unsubscribe = events.subscribe(request.caller.tenantId, () => wakes.wake());
    const signal = AbortSignal.any([request.signal, stopping.signal]);
    const until = request.receivedAt + request.waitSeconds * 1000;
    try {
      for (;;) {
        const answer = await look(request, after);
        const left = until - clock.monotonic();
        if (answer.news || after === undefined || left <= 0 || signal.aborted) return answer;
        await wakes.next(left, signal);
      }
    } finally {
      unsubscribe();
    }
  }

  return {
    async poll(request) {
      const after = parseCursor(request.after);
      const { tenantId, application, sid } = request.caller;
      const release = (sid === undefined ? limit : sessionLimit).take(`${tenantId}/${application.id}/${sid ?? ''}`);
      open++;
      try {
        const { news: _news, ...changes } = await wait(request, after);
        return changes;
      } finally {
        open--;
        release();
      }
    },
    openPolls: () => open,
    stop: () => stopping.abort(),
  };
}

const maxBigint = 2n ** 63n - 1n;

function parseCursor(cursor: string | undefined): FeedPosition | undefined {
  if (cursor === undefined) return undefined;
  const [policyVersion = 0n, sessionSequence = 0n] = cursor.split('.').map(BigInt);
  if (policyVersion > maxBigint || sessionSequence > maxBigint) {
    const fields = [{ pointer: '/query/after', detail: 'is no cursor of this feed' }];
    throw new AppError('invalid_request', 'the cursor is out of range', { fields });
  }
  return { policyVersion, sessionSequence };
}
