import type { SessionState, SessionSummary } from '@authsec/manager-client/contract';
import type { Session } from '@authsec/prisma/tenant';
import { type Caller, onlyOf, reachesSession } from '../../authorization/caller.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { EventBus } from '../../ports/event-bus.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { noteManifestUse } from '../manifests/manifests.service.js';
import { type JudgedSession, judgeSession } from './judge-session.js';
import { renewSessions } from './renew-sessions.js';
import { type SessionEndReason, type SessionManifest, toSummary } from './session.js';
import * as repository from './sessions.repository.js';

export interface NewSession {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  /** The grant id. */
  readonly sid: string;
  readonly userId: string;
  readonly applicationId: string;
  /** `mcp_session` of an in-band login. */
  readonly mcpSession: string | null;
  /** The scopes approved at login. */
  readonly scopes: readonly string[];
  readonly clientName: string | null;
  readonly expiresAt: Date;
}

export interface SessionEnd {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly sid: string;
  readonly reason: SessionEndReason;
}

export interface SessionList {
  readonly sessions: SessionSummary[];
  readonly next: string | null;
}

export interface SessionsService {
  createSession(session: NewSession): Promise<void>;
  /** Idempotent; resolves to whether it ended now. What the provider keeps of the grant goes with it. */
  endSession(end: SessionEnd): Promise<boolean>;
  endSessionsOfUser(end: Omit<SessionEnd, 'sid'> & { readonly userId: string }): Promise<number>;
  endAllSessions(end: Omit<SessionEnd, 'sid'>): Promise<number>;
  /** Bound and neither ended nor expired, in all of these databases; those that have expired are ended, and so counted once. */
  countActive(tenants: readonly Omit<SessionEnd, 'sid' | 'reason'>[]): Promise<number>;
  /** Also an ended or expired one. */
  findSession(db: TenantDatabase, sid: string): Promise<Session | null>;
  /** `manifests`: of those whose server has other tools than it said before. */
  renew(caller: Caller, sids: readonly string[], manifests?: readonly SessionManifest[]): Promise<SessionState[]>;
  /** A session that lives, with what its person effectively holds now; AppError 'not_found' or 'session_ended'. */
  judge(caller: Caller, sid: string): Promise<JudgedSession>;
  list(
    caller: Caller,
    filter: { sub?: string | undefined; limit: number; after?: string | undefined },
  ): Promise<SessionList>;
  /** AppError 'not_found' for one that the caller does not reach. */
  get(caller: Caller, sid: string): Promise<SessionSummary>;
  revoke(caller: Caller, sid: string, reason: SessionEndReason, requestId: string): Promise<void>;
}

export interface SessionsOptions {
  readonly clock: Clock;
  readonly events: EventBus;
  readonly telemetry?: Pick<Telemetry, 'record'>;
  /** What was given for the time of a session goes after it; not waited for, and it never rejects. */
  readonly onEnded?: (tenantId: string, db: TenantDatabase) => Promise<void>;
}

export function createSessionsService(options: SessionsOptions): SessionsService {
  const { clock, events, telemetry = noTelemetry, onEnded } = options;
  async function end(tenantId: string, db: TenantDatabase, sids: readonly string[], reason: SessionEndReason) {
    if (sids.length === 0) return 0;
    const ended = await repository.endSessions(db, sids, { reason, at: new Date(clock.now()) });
    if (ended === 0) return 0;
    telemetry.record({ kind: 'sessions_ended', tenantId, reason, count: ended });
    void onEnded?.(tenantId, db);
    await events.publish(tenantId);
    return ended;
  }

  const service: SessionsService = {
    async createSession({ db, sid, tenantId, ...rest }) {
      await repository.insertSession(db, { id: sid, ...rest });
      telemetry.record({ kind: 'session_started', tenantId });
    },

    async endSession({ tenantId, db, sid, reason }) {
      const session = await repository.findSession(db, sid);
      if (!session || session.endedAt) return false;
      return (await end(tenantId, db, [sid], reason)) > 0;
    },

    async endSessionsOfUser({ tenantId, db, userId, reason }) {
      return end(tenantId, db, await repository.findLiveSids(db, userId), reason);
    },

    async endAllSessions({ tenantId, db, reason }) {
      let ended = 0;
      for (;;) {
        const sids = await repository.findLiveSids(db, undefined, 1_000);
        const now = await end(tenantId, db, sids, reason);
        if (now === 0) return ended;
        ended += now;
      }
    },

    async countActive(tenants) {
      let count = 0;
      for (const { tenantId, db } of tenants) {
        const at = new Date(clock.now());
        await end(tenantId, db, await repository.findExpiredSids(db, at, 1_000), 'expired');
        count += await repository.countActiveSessions(db, at);
      }
      return count;
    },

    findSession: repository.findSession,

    async renew(caller, sids, named = []) {
      const manifests = named.filter(({ sid }) => reachesSession(caller, sid));
      if (manifests.length > 0) {
        const { db, application } = caller;
        const digests = manifests.map(({ digest }) => digest);
        await repository.setManifests(db, application.id, manifests);
        await noteManifestUse(db, application.id, digests);
      }
      return renewSessions(caller, sids, clock.now());
    },

    judge: (caller, sid) => judgeSession(caller, sid, clock.now()),

    async list(caller, { sub, limit, after }) {
      const userId = sub === undefined || isUuid(sub) ? sub : undefined;
      if (sub !== undefined && userId === undefined) return { sessions: [], next: null };
      const filter = { applicationId: onlyOf(caller), userId, after, limit };
      const rows = await repository.listSessions(caller.db, filter);
      return { sessions: rows.map(toSummary), next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null };
    },

    async get(caller, sid) {
      const session =
        reachesSession(caller, sid) && (await repository.findListedSession(caller.db, sid, onlyOf(caller)));
      if (!session) throw new AppError('not_found', 'no such session within reach');
      return toSummary(session);
    },

    async revoke(caller, sid, reason, requestId) {
      await service.get(caller, sid);
      const ended = await service.endSession({ tenantId: caller.tenantId, db: caller.db, sid, reason });
      if (!ended) return;
      const [actor, target] = [actorOf(caller), { kind: 'session', id: sid }];
      await recordAuditEvent(caller.db, {
        action: 'session.end',
        actor,
        target,
        outcome: 'done',
        requestId,
        details: { reason },
      });
    },
  };
  return service;
}

function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
