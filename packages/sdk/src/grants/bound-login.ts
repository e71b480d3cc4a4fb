import type { ActiveSession, SessionState } from '@authsec/manager-client';
import { createPrincipal, type Principal } from '@authsec/rbac-core';
import type { Clock } from '../clock.js';
import type { CallerState, UserInfo } from '../session/caller-session.js';
import { extendLease, leaseOf, type Lease, type Sent } from './lease.js';

/** Renewal begins so long before the end of a lease that no poll extended, or a quarter of it where it is short. */
const renewAheadMs = 2_500;
const renewalSpacingMs = 250;

const anonymous: CallerState = { kind: 'anonymous' };

interface Judgement {
  readonly version: bigint;
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly active: Extract<CallerState, { kind: 'active' }>;
  readonly listed: string;
}

/** The tool manifest of the server that holds a login, and what of it the bind told the Manager. */
export interface LoginManifest {
  readonly digest: () => string | undefined;
  readonly told: string | undefined;
}

/** That a login ended other than by whoever holds it: why, as the Manager said, and when this process learned of it. */
export interface LoginEnding {
  readonly reason: string;
  readonly at: string;
}

/** A login that is bound at the Manager, with its rights as last judged and the lease on them. */
export class BoundLogin {
  readonly sid: string;
  readonly sub: string;
  readonly tenantId: string;
  #end: 'live' | 'expired' | 'gone' = 'live';
  #ending: LoginEnding | undefined;
  #judgement: Judgement;
  #lease: Lease;
  #coveredSince: number;
  #askedAt: number;
  #toldManifest: string | undefined;

  constructor(
    session: ActiveSession,
    sent: Sent,
    private readonly clock: Clock,
    private readonly onChange: () => void,
    private readonly manifest?: LoginManifest,
  ) {
    this.#toldManifest = manifest?.told;
    this.sid = session.sid;
    this.sub = session.sub;
    this.tenantId = session.tenant_id;
    this.#judgement = judge(session, sent.at, clock.monotonic());
    this.#lease = leaseOf(session, sent.at);
    this.#coveredSince = sent.generation;
    this.#askedAt = sent.at;
  }

  state(): CallerState {
    if (this.#end === 'gone') return anonymous;
    const { active } = this.#judgement;
    if (this.#end === 'expired') return { kind: 'unjudgeable', code: 'session_expired', shownTo: active.principal };
    if (this.clock.monotonic() < this.#lease.until) return active;
    return { kind: 'unjudgeable', code: 'policy_unavailable', shownTo: active.principal };
  }

  /** Milliseconds since the rights were last confirmed. */
  leaseAgeMs(): number {
    return Math.max(0, this.clock.monotonic() - this.#lease.confirmedAt);
  }

  isOver(): boolean {
    return this.#end !== 'live';
  }

  ending(): LoginEnding | undefined {
    return this.#ending;
  }

  /** When it must be renewed, in monotonic milliseconds; `generation` is where the change feed stands. */
  dueAt(generation: number): number {
    if (this.#coveredSince !== generation || this.untoldManifest() !== undefined) return 0;
    const { until, horizon } = this.#lease;
    const ahead = Math.min(renewAheadMs, (until - this.#askedAt) / 4);
    return Math.max(until < horizon ? until - ahead : horizon, this.#askedAt + renewalSpacingMs);
  }

  asked(at: number): void {
    this.#askedAt = at;
  }

  /** The manifest of the server's tools, where it is another one than the Manager was told. */
  untoldManifest(): string | undefined {
    const now = this.manifest?.digest();
    return now === this.#toldManifest ? undefined : now;
  }

  toldManifest(digest: string): void {
    this.#toldManifest = digest;
  }

  /** Takes a renewal's answer; false when it gave nothing: too late, overtaken by a newer one, or of another person. */
  apply(answer: SessionState, sent: Sent): boolean {
    if (this.#end !== 'live') return false;
    if (answer.status === 'ended') {
      this.end(answer.reason);
      return true;
    }
    const now = this.clock.monotonic();
    const lease = leaseOf(answer, sent.at);
    if (answer.sub !== this.sub || answer.tenant_id !== this.tenantId || lease.until <= now) return false;
    if (!supersedes(answer, sent.at, this.#judgement)) return false;
    const wasActive = this.state().kind === 'active';
    const before = this.#judgement;
    this.#judgement = judge(answer, sent.at, now, before);
    this.#lease = lease;
    this.#coveredSince = sent.generation;
    if (!wasActive || before.listed !== this.#judgement.listed) this.onChange();
    return true;
  }

  /** A poll after position `from` found nothing changed up to position `to`. */
  extend(from: number, to: number, poll: { sentAt: number; receivedAt: number; heldMs: number }): void {
    if (this.#end !== 'live' || this.#coveredSince !== from) return;
    const wasActive = this.state().kind === 'active';
    this.#coveredSince = to;
    this.#lease = extendLease(this.#lease, poll);
    if (!wasActive && this.state().kind === 'active') this.onChange();
  }

  /** What is left of an expired login says so; of any other end, nothing is left. */
  end(reason: string): void {
    if (this.#end !== 'live') return;
    this.#end = reason === 'expired' ? 'expired' : 'gone';
    this.#ending = { reason, at: new Date(this.clock.wall()).toISOString() };
    this.onChange();
  }

  /** Ends it here without a notice, whatever is still on its way. */
  release(): void {
    this.#end = 'gone';
  }
}

/** Whether an answer is newer than the last: sent after that was received, or, where they overlapped, of a later policy. */
function supersedes(answer: ActiveSession, sentAt: number, last: Judgement): boolean {
  if (sentAt >= last.receivedAt) return true;
  const version = BigInt(answer.policy_version);
  return version > last.version || (version === last.version && sentAt >= last.sentAt);
}

function judge(session: ActiveSession, sentAt: number, receivedAt: number, last?: Judgement): Judgement {
  const { grants, email, sub, tenant_id } = session;
  const listed = JSON.stringify([email, grants]);
  const version = BigInt(session.policy_version);
  if (last?.listed === listed) return { ...last, version, sentAt, receivedAt };
  const { roles, groups, scopes, resources } = grants;
  const principal: Principal = createPrincipal(grants);
  const userInfo: UserInfo = deepFreeze({ email, sub, tenant_id, roles, groups, scopes, resources });
  return { version, sentAt, receivedAt, listed, active: { kind: 'active', principal, userInfo } };
}

/** Handlers get it: what one writes into it must not reach the next call. */
function deepFreeze(userInfo: UserInfo): UserInfo {
  for (const list of [userInfo.roles, userInfo.groups, userInfo.scopes, userInfo.resources]) Object.freeze(list);
  return Object.freeze(userInfo);
}
