import { ManagerClientError, type AccessTokenSource } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { AuthSecError } from '../authsec-error.js';
import type { Clock } from '../clock.js';
import type { LoginTokens } from './token-endpoint.js';

export interface SessionTokenOptions {
  /** What the login gave. */
  readonly first: LoginTokens;
  /** Gets the next tokens; rejects with `code_refused` when the login is over. */
  readonly refresh: () => Promise<LoginTokens>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onOver: () => void;
}

/** The token of one login for the Manager's API, renewed at 80 % of its lifetime, by one request at a time. */
export function createSessionToken(options: SessionTokenOptions): AccessTokenSource {
  const { clock, log } = options;
  let current = keep(options.first, clock.monotonic());
  let inFlight: Promise<string> | undefined;
  let isOver = false;

  function keep({ session }: LoginTokens, askedAt: number): { token: string; renewAt: number } | undefined {
    return session && { token: session.token, renewAt: askedAt + session.expiresInMs * 0.8 };
  }

  async function request(): Promise<string> {
    if (isOver) throw failure('the login is over');
    const askedAt = clock.monotonic();
    try {
      current = keep(await options.refresh(), askedAt);
    } catch (error) {
      const code = error instanceof AuthSecError ? error.code : 'internal_error';
      if (code === 'code_refused' || code === 'login_refused') {
        isOver = true;
        current = undefined;
        log.info('a login cannot be refreshed any more', { code });
        options.onOver();
      }
      throw failure(error instanceof Error ? error.message : 'unknown');
    }
    if (!current) throw failure('the answer has no token for the session');
    return current.token;
  }

  return {
    async get() {
      if (current && clock.monotonic() < current.renewAt) return current.token;
      return (inFlight ??= request().finally(() => (inFlight = undefined)));
    },
    invalidate(token) {
      if (current?.token === token) current = undefined;
    },
  };
}

function failure(reason: string): ManagerClientError {
  return new ManagerClientError('token_request_failed', `no token for the session: ${reason}`);
}
