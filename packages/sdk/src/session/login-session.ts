import { randomBytes } from 'node:crypto';
import { AuthSecError } from '../authsec-error.js';
import type { BoundLogin } from '../grants/bound-login.js';
import { createAttemptLimit, type AttemptLimit } from './attempt-limit.js';
import { bindLogin } from './bind-login.js';
import type { CallerState } from './caller-session.js';
import type { LoginContext } from './login-context.js';
import { createLoginSecrets, createPendingLogin, type PendingLogin, type ReportedClient } from './pending-login.js';
import { sameSecret } from './same-secret.js';

/** The pending and the bound login of one MCP transport session. */
export class LoginSession {
  #pending: PendingLogin | undefined;
  #bound: { login: BoundLogin; sessionId: string } | undefined;
  #started = 0;
  #closed = false;
  readonly #mayStart: AttemptLimit;
  readonly #mayAuthenticate: AttemptLimit;

  constructor(
    private readonly context: LoginContext,
    private readonly onChange: () => void,
  ) {
    this.#mayStart = createAttemptLimit(context.clock, { burst: 5, everyMs: 20_000 });
    this.#mayAuthenticate = createAttemptLimit(context.clock, { burst: 10, everyMs: 6_000 });
  }

  state(): CallerState {
    return this.#bound?.login.state() ?? { kind: 'anonymous' };
  }

  /** The login that waits for its code, if there is one. */
  pending(): PendingLogin | undefined {
    if (this.#pending && this.context.clock.monotonic() >= this.#pending.expiresAtMonotonic) this.#pending = undefined;
    return this.#pending;
  }

  /** The `session_id` under which the caller is signed in, if they are. */
  boundSessionId(): string | undefined {
    return this.state().kind === 'anonymous' ? undefined : this.#bound?.sessionId;
  }

  /** Whether `sessionId` is the one that is pending or signed in here. */
  owns(sessionId: string): boolean {
    const own = [this.pending()?.sessionId, this.boundSessionId()];
    return own.some((candidate) => candidate !== undefined && sameSecret(candidate, sessionId));
  }

  /** Begins a login; it voids the pending one, and leaves whoever is signed in until it is bound. */
  async start(client: ReportedClient, signal: AbortSignal): Promise<PendingLogin> {
    this.#assertOpen();
    assertAttempt(this.#mayStart());
    const turn = ++this.#started;
    const secrets = await createLoginSecrets(client);
    const pushed = await this.context.pushLogin(secrets, signal);
    this.#assertOpen();
    if (turn !== this.#started) throw new AuthSecError('login_superseded', 'another login was started meanwhile');
    this.#pending = createPendingLogin(secrets, pushed, this.context.clock);
    return this.#pending;
  }

  /** Redeems the code and binds the login to this transport session. */
  async authenticate(sessionId: string, code: string): Promise<void> {
    this.#assertOpen();
    const pending = this.pendingFor(sessionId);
    if (pending.working) {
      if (sameSecret(pending.working.code, code)) return pending.working.outcome;
      throw new AuthSecError('authentication_in_progress', 'another code is being redeemed for this login');
    }
    if (pending.refusedCode !== undefined && sameSecret(pending.refusedCode, code)) {
      throw new AuthSecError('code_refused', 'the same code was refused before');
    }
    assertAttempt(this.#mayAuthenticate());
    const outcome = this.#complete(pending, code);
    pending.working = { code, outcome };
    try {
      await outcome;
    } finally {
      pending.working = undefined;
    }
  }

  /** The pending login of that `session_id`; throws what the caller has to do otherwise. */
  pendingFor(sessionId: string): PendingLogin {
    const unchecked = this.#pending;
    const bound = this.boundSessionId();
    if (bound !== undefined && sameSecret(bound, sessionId)) {
      throw new AuthSecError('code_already_used', 'the login of that session_id is bound already');
    }
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
    this.#pending = undefined;
    this.#started++;
    const bound = this.#bound;
    this.#bound = undefined;
    if (!bound) return true;
    const wasShown = bound.login.state().kind !== 'anonymous';
    const wasLive = !bound.login.isOver();
    this.context.grants.remove(bound.login);
    if (wasShown) this.onChange();
    return wasLive ? this.context.revocations.end(bound.login.sid) : true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.logout();
  }

  async #complete(pending: PendingLogin, code: string): Promise<void> {
    const { context } = this;
    const accessToken = await this.#redeem(pending, code);
    const { session, sent } = await bindLogin(context, { ...pending, ...accessToken }).catch((error: unknown) => {
      const again = error instanceof AuthSecError && error.code === 'manager_unavailable';
      if (!again) this.#void(pending);
      throw error;
    });
    if (this.#pending !== pending) {
      void context.revocations.end(session.sid);
      throw new AuthSecError(this.#closed ? 'session_closed' : 'login_superseded', 'the login was voided meanwhile');
    }
    const before = this.#bound;
    this.#pending = undefined;
    this.#bound = { login: context.grants.add(session, sent, this.onChange), sessionId: pending.sessionId };
    context.log.info('signed in', { sub: session.sub });
    if (before) {
      const wasLive = !before.login.isOver();
      context.grants.remove(before.login);
      if (wasLive) void context.revocations.end(before.login.sid);
    }
    this.onChange();
  }

  async #redeem(pending: PendingLogin, code: string): Promise<{ accessToken: string; idempotencyKey: string }> {
    if (pending.redeemed) {
      if (sameSecret(pending.redeemed.code, code)) return pending.redeemed;
      throw new AuthSecError('code_refused', 'another code was already redeemed for this login');
    }
    const accessToken = await this.context.exchangeCode({ ...pending, code }).catch((error: unknown) => {
      // A refused code was not this login's, so that the right one may follow; after anything else nobody knows what became of it.
      const reason = error instanceof AuthSecError ? error.code : undefined;
      if (reason === 'code_refused') pending.refusedCode = code;
      else if (reason !== 'too_many_attempts') this.#void(pending);
      throw error;
    });
    pending.redeemed = { code, accessToken, idempotencyKey: randomBytes(24).toString('base64url') };
    return pending.redeemed;
  }

  #void(pending: PendingLogin): void {
    if (this.#pending === pending) this.#pending = undefined;
  }

  #assertOpen(): void {
    if (this.#closed) throw new AuthSecError('session_closed', 'the MCP session is over');
  }
}

function assertAttempt(attempt: ReturnType<AttemptLimit>): void {
  if (attempt.allowed) return;
  throw new AuthSecError('too_many_attempts', `too many attempts: wait ${attempt.waitSeconds} s`);
}
