import { randomBytes } from 'node:crypto';
import type { ActiveSession } from '@authsec/manager-client';
import { AuthSecError } from '../authsec-error.js';
import { waitFor } from '../clock.js';
import type { BoundLogin, LoginEnding } from '../grants/bound-login.js';
import type { Sent } from '../grants/lease.js';
import { createAttemptLimit, type AttemptLimit } from './attempt-limit.js';
import { bindLogin } from './bind-login.js';
import type { CallerState } from './caller-session.js';
import type { LoginContext } from './login-context.js';
import { type LoopbackAnswer, type LoopbackListener, openLoopback } from './loopback-listener.js';
import type { ManagerAccess } from './manager-access.js';
import {
  createLoginSecrets,
  createPendingLogin,
  type PendingLogin,
  type Proof,
  type ReportedClient,
} from './pending-login.js';
import { completionUrl } from './push-login.js';
import { isSameProof, redeemProof } from './redeem-proof.js';
import type { LoginRefresher } from './refresh-login.js';
import { restoreLogin } from './restore-login.js';
import { sameSecret } from './same-secret.js';

interface Bound {
  readonly login: BoundLogin;
  readonly sessionId: string;
  readonly access: ManagerAccess;
  readonly refresher: LoginRefresher;
  /** From before this process. */
  readonly isRestored: boolean;
}

const waitForReturnMs = 25_000;
const waitForRestoreMs = 3_000;

/** The pending and the bound login of one MCP transport session. */
export class LoginSession {
  #pending: PendingLogin | undefined;
  #bound: Bound | undefined;
  /** Why the last pending login cannot be bound any more, for whoever asks with its `session_id`. */
  #failed: { readonly sessionId: string; readonly error: AuthSecError } | undefined;
  #restoring: Promise<void> | undefined;
  readonly #stopRestoring = new AbortController();
  #started = 0;
  #closed = false;
  readonly #mayStart: AttemptLimit;
  readonly #mayAuthenticate: AttemptLimit;

  constructor(
    private readonly context: LoginContext,
    private readonly onChange: () => void,
    private readonly isLocal: () => boolean,
    private readonly manifestDigest: () => string | undefined = () => undefined,
  ) {
    this.#mayStart = createAttemptLimit(context.clock, { burst: 5, everyMs: 20_000 });
    this.#mayAuthenticate = createAttemptLimit(context.clock, { burst: 10, everyMs: 6_000 });
    if (context.remembered && isLocal()) this.#restoring = this.#restore();
  }

  state(): CallerState {
    return this.#bound?.login.state() ?? { kind: 'anonymous' };
  }

  /** The login that is bound and not over, and its way to the Manager. */
  signedIn(): Pick<Bound, 'login' | 'access'> | undefined {
    return this.#bound?.login.isOver() === false ? this.#bound : undefined;
  }

  /** Why nobody is signed in any more, until the next login or a logout. */
  ending(): LoginEnding | undefined {
    return this.#bound?.login.ending();
  }

  /** Whether who is signed in was so before this process began. */
  isRestored(): boolean {
    return this.#bound?.isRestored === true && this.state().kind !== 'anonymous';
  }

  /** Waits, not for long, until it is known whether a remembered login still is one. */
  async restored(signal: AbortSignal): Promise<void> {
    const { clock } = this.context;
    if (this.#restoring) await waitFor(this.#restoring, { clock, ms: waitForRestoreMs, signal });
  }

  /** The login that waits for its code, if there is one. */
  pending(): PendingLogin | undefined {
    const pending = this.#pending;
    if (pending && this.context.clock.monotonic() >= pending.expiresAtMonotonic) this.#setPending(undefined);
    return this.#pending;
  }

  /** The `session_id` under which the caller is signed in, if they are. */
  boundSessionId(): string | undefined {
    return this.state().kind === 'anonymous' ? undefined : this.#bound?.sessionId;
  }

  /** Whether `sessionId` is the one that is pending or signed in here, or was until its login ended. */
  owns(sessionId: string): boolean {
    const own = [this.pending()?.sessionId, this.#bound?.sessionId];
    return own.some((candidate) => candidate !== undefined && sameSecret(candidate, sessionId));
  }

  /** Begins a login; it voids the pending one, and leaves whoever is signed in until it is bound. */
  async start(client: ReportedClient, signal: AbortSignal): Promise<PendingLogin> {
    this.#assertOpen();
    assertAttempt(this.#mayStart());
    const turn = ++this.#started;
    const secrets = await createLoginSecrets(client);
    const loopback = await this.#openLoopback(secrets);
    try {
      const redirectUri = loopback?.redirectUri ?? completionUrl(this.context.issuer);
      const login = { ...secrets, redirectUri, remember: this.#remembers() };
      const pushed = await this.context.pushLogin(login, signal);
      this.#assertOpen();
      if (turn !== this.#started) throw new AuthSecError('login_superseded', 'another login was started meanwhile');
      const pending = createPendingLogin(login, pushed, { clock: this.context.clock, loopback });
      this.#setPending(pending);
      return pending;
    } catch (error) {
      loopback?.close();
      throw error;
    }
  }

  /** Redeems what the person brought and binds the login to this transport session. */
  async authenticate(sessionId: string, proof: Proof): Promise<void> {
    this.#assertOpen();
    const pending = this.pendingFor(sessionId);
    if (pending.working) {
      if (!isSameProof(pending.working.proof, proof)) {
        throw new AuthSecError('authentication_in_progress', 'another code is being redeemed for this login');
      }
      // What goes wrong goes wrong for both; what goes well is the first one's.
      await pending.working.outcome;
      throw new AuthSecError('code_already_used', 'another call has redeemed the same code');
    }
    if (proof.kind === 'token' && !pending.takesPastedToken) {
      throw new AuthSecError('paste_token_not_enabled', 'the Manager does not offer the token of this application');
    }
    if (pending.refusedCode !== undefined && sameSecret(pending.refusedCode, proof.value)) {
      throw new AuthSecError('code_refused', 'the same code was refused before');
    }
    assertAttempt(this.#mayAuthenticate());
    const outcome = this.#complete(pending, proof);
    pending.working = { proof, outcome };
    try {
      await outcome;
    } finally {
      pending.working = undefined;
    }
  }

  /** Waits up to 25 s for the browser to come back; what came of it is in `state` and `pendingFor`. */
  async awaitReturn(pending: PendingLogin, signal: AbortSignal): Promise<void> {
    // It came back, and the Manager was away when the login was to be bound.
    if (pending.redeemed && !pending.working) return this.authenticate(pending.sessionId, pending.redeemed.proof);
    await waitFor(pending.settled, { clock: this.context.clock, ms: waitForReturnMs, signal });
  }

  /** The pending login of that `session_id`; throws what the caller has to do otherwise. */
  pendingFor(sessionId: string): PendingLogin {
    const unchecked = this.#pending;
    const bound = this.boundSessionId();
    if (bound !== undefined && sameSecret(bound, sessionId)) {
      throw new AuthSecError('code_already_used', 'the login of that session_id is bound already');
    }
    if (this.#failed && sameSecret(this.#failed.sessionId, sessionId)) throw this.#failed.error;
    if (!unchecked) throw new AuthSecError('no_pending_login', 'no login is pending in this MCP session');
    if (!sameSecret(unchecked.sessionId, sessionId)) {
      throw new AuthSecError(
        'session_id_mismatch',
        'the session_id is not that of the login pending in this MCP session',
      );
    }
    const pending = this.pending();
    if (!pending) throw new AuthSecError('login_expired', 'the pending login is over');
    return pending;
  }

  /** Forgets both logins at once; true when the Manager has ended its session too, false when that is still to come. */
  async logout(): Promise<boolean> {
    const bound = this.#drop();
    if (!bound) return true;
    await bound.refresher.forget();
    return bound.wasLive ? this.#end(bound.access, bound.login.sid) : true;
  }

  /** Ends all but a remembered login, which is there again when the person comes back. */
  async close(): Promise<void> {
    this.#closed = true;
    const bound = this.#drop();
    if (!bound) return;
    if (bound.wasLive && !bound.refresher.isRemembered()) await this.#end(bound.access, bound.login.sid);
    else this.context.accesses.release(bound.access);
  }

  #drop(): (Bound & { readonly wasLive: boolean }) | undefined {
    this.#stopRestoring.abort();
    this.#setPending(undefined);
    this.#started++;
    const bound = this.#bound;
    this.#bound = undefined;
    if (!bound) return undefined;
    const wasShown = bound.login.state().kind !== 'anonymous';
    const wasLive = !bound.login.isOver();
    bound.access.grants.remove(bound.login);
    if (wasShown) this.onChange();
    return { ...bound, wasLive };
  }

  async #end(access: ManagerAccess, sid: string): Promise<boolean> {
    const ended = await access.revocations.end(sid);
    if (ended) this.context.accesses.release(access);
    return ended;
  }

  #remembers(): boolean {
    return this.context.remembered !== undefined && this.isLocal();
  }

  #setPending(pending: PendingLogin | undefined): void {
    const before = this.#pending;
    this.#pending = pending;
    if (pending) this.#failed = undefined;
    before?.loopback?.close();
    before?.settle();
  }

  async #openLoopback(secrets: { readonly sessionId: string; readonly state: string }) {
    const { context } = this;
    if (context.loginEndFor(this.isLocal()) === 'page') return undefined;
    const { issuer } = context.issuer;
    const loopback: LoopbackListener = await openLoopback({
      issuer,
      state: secrets.state,
      onAnswer: (answer) => this.#returned(secrets.sessionId, answer),
    });
    return loopback;
  }

  async #returned(sessionId: string, answer: LoopbackAnswer): Promise<'signed_in' | 'refused' | 'failed'> {
    const pending = this.#pending;
    if (pending?.sessionId !== sessionId) return 'failed';
    if (answer.kind === 'code') {
      const proof = { kind: 'code', value: answer.code } as const;
      return this.authenticate(sessionId, proof).then(
        () => 'signed_in',
        (error: unknown) => {
          this.context.log.warn('a login came back and could not be finished', { reason: codeOf(error) });
          // What was redeemed may still be bound; nothing else can come back here.
          if (pending.redeemed) pending.settle();
          else this.#void(pending, error);
          return 'failed';
        },
      );
    }
    const refused = answer.error === 'access_denied';
    const code = refused ? 'access_denied' : 'login_refused';
    this.#void(pending, new AuthSecError(code, `the login came back with ${answer.error}`));
    return refused ? 'refused' : 'failed';
  }

  async #restore(): Promise<void> {
    const { context } = this;
    const found = await restoreLogin(context, this.#stopRestoring.signal).catch((error: unknown) => {
      context.log.error('the remembered login was not restored', { reason: codeOf(error) });
      return undefined;
    });
    if (!found) return;
    if (this.#closed || this.#bound || this.#stopRestoring.signal.aborted) {
      return context.accesses.release(found.access);
    }
    this.#take(found, { sessionId: randomBytes(16).toString('base64url'), isRestored: true });
    context.log.info('restored a remembered login', { sub: found.session.sub });
    this.onChange();
  }

  async #complete(pending: PendingLogin, proof: Proof): Promise<void> {
    const { context } = this;
    const redeemed = await redeemProof(context, pending, proof, (error) => this.#void(pending, error));
    const { access, refresher } = redeemed;
    const { sessionId, audience } = pending;
    const manifestDigest = this.manifestDigest();
    const login = { ...redeemed, sessionId, audience, manifestDigest, pasted: proof.kind === 'token' };
    const { session, sent } = await bindLogin(context, access, login).catch((error: unknown) => {
      const again = error instanceof AuthSecError && error.code === 'manager_unavailable';
      if (!again) this.#void(pending, error);
      throw error;
    });
    if (this.#pending !== pending) {
      void this.#end(access, session.sid);
      throw new AuthSecError(this.#closed ? 'session_closed' : 'login_superseded', 'the login was voided meanwhile');
    }
    this.#stopRestoring.abort();
    const before = this.#bound;
    this.#take({ session, sent, access, refresher }, { sessionId, isRestored: false }, manifestDigest);
    context.log.info('signed in', { sub: session.sub });
    if (before) {
      const wasLive = !before.login.isOver();
      before.access.grants.remove(before.login);
      if (wasLive) void this.#end(before.access, before.login.sid);
    }
    this.onChange();
    const { sid, sub, email } = session;
    if (this.#remembers()) await refresher.remember({ sid, sub, email });
    this.#void(pending);
  }

  #take(
    { session, sent, access, refresher }: Pick<Bound, 'access' | 'refresher'> & { session: ActiveSession; sent: Sent },
    { sessionId, isRestored }: Pick<Bound, 'sessionId' | 'isRestored'>,
    told?: string,
  ): void {
    const login = access.grants.add(session, sent, this.onChange, { digest: this.manifestDigest, told });
    access.over?.addEventListener('abort', () => login.end('unknown'), { once: true });
    this.#bound = { login, sessionId, access, refresher, isRestored };
  }

  #void(pending: PendingLogin, error?: unknown): void {
    if (this.#pending !== pending) return;
    if (pending.loopback && error instanceof AuthSecError) this.#failed = { sessionId: pending.sessionId, error };
    this.#setPending(undefined);
  }

  #assertOpen(): void {
    if (this.#closed) throw new AuthSecError('session_closed', 'the MCP session is over');
  }
}

function codeOf(error: unknown): string {
  return error instanceof AuthSecError ? error.code : 'internal_error';
}

function assertAttempt(attempt: ReturnType<AttemptLimit>): void {
  if (attempt.allowed) return;
  throw new AuthSecError('too_many_attempts', `too many attempts: wait ${attempt.waitSeconds} s`);
}
