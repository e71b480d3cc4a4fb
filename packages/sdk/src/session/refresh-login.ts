import { randomBytes } from 'node:crypto';
import { AuthSecError } from '../authsec-error.js';
import type { RememberedLogin, RememberedLogins } from '../remember/remembered-login.js';
import { LockedError } from '../remember/file-lock.js';
import { NotPrivateError } from '../remember/private-file.js';
import type { LoginContext } from './login-context.js';
import type { LoginTokens } from './token-endpoint.js';

/** The refresh token of one login: in memory, or where it is remembered and other processes use it too. */
export interface LoginRefresher {
  /** Spends the newest refresh token that this person's processes have; `code_refused` when the login is over. */
  refresh(): Promise<LoginTokens>;
  /** From now on the login outlives the process. Never rejects: at worst it does not. */
  remember(login: Omit<RememberedLogin, 'refreshToken'>): Promise<void>;
  /** Removes what is remembered of this login. Never rejects. */
  forget(): Promise<void>;
  readonly isRemembered: () => boolean;
}

export function createLoginRefresher(
  { tokens, remembered, log }: Pick<LoginContext, 'tokens' | 'remembered' | 'log'>,
  first: { readonly refreshToken: string | undefined; readonly kept?: RememberedLogin },
): LoginRefresher {
  let own = first.refreshToken;
  let attempt: string | undefined;
  let login: Omit<RememberedLogin, 'refreshToken'> | undefined = first.kept;

  /** An attempt that got no answer is made again, not another one. */
  async function spend(token: string | undefined, named: string): Promise<LoginTokens> {
    if (token === undefined) throw new AuthSecError('code_refused', 'the login has no refresh token');
    attempt = named;
    const fresh = await tokens.refresh(token, named);
    own = fresh.refreshToken ?? token;
    attempt = undefined;
    return fresh;
  }

  async function spendKept(store: RememberedLogins, sid: string): Promise<LoginTokens> {
    const kept = await store.read();
    if (kept?.sid !== sid) return spend(own, attempt ?? newAttempt());
    const { attempt: named = newAttempt(), ...rest } = kept;
    try {
      // Written before it is sent: whoever comes after us, if we are killed now, asks for the same answer.
      if (kept.attempt === undefined) await quietly(store.save({ ...kept, attempt: named }));
      const fresh = await spend(kept.refreshToken, named);
      await quietly(store.save({ ...rest, refreshToken: own ?? kept.refreshToken }));
      return fresh;
    } catch (error) {
      if (error instanceof AuthSecError && error.code === 'code_refused') await quietly(store.forget(sid));
      throw error;
    }
  }

  async function quietly(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      log.warn('the login cannot be remembered', { reason: error instanceof Error ? error.message : 'unknown' });
    });
  }

  return {
    async refresh() {
      const sid = login?.sid;
      if (!remembered || sid === undefined) return spend(own, attempt ?? newAttempt());
      return remembered
        .locked(() => spendKept(remembered, sid))
        .catch((error: unknown) => {
          // Others could have read it by now: this process goes on with what it has in memory.
          if (error instanceof NotPrivateError) return spend(own, attempt ?? newAttempt());
          if (!(error instanceof LockedError)) throw error;
          throw new AuthSecError('manager_unavailable', error.message, { cause: error });
        });
    },
    async remember(bound) {
      if (!remembered || own === undefined) return;
      login = bound;
      let saved = false;
      const save = async () => {
        // The newest: it may have been refreshed while others had the lock.
        if (own !== undefined) await remembered.save({ ...bound, refreshToken: own });
        saved = true;
      };
      await quietly(remembered.locked(save));
      // Else it would live on without anyone who could end it.
      if (!saved) login = undefined;
    },
    async forget() {
      const sid = login?.sid;
      login = undefined;
      if (remembered && sid !== undefined) await quietly(remembered.locked(() => remembered.forget(sid)));
    },
    isRemembered: () => login !== undefined,
  };
}

function newAttempt(): string {
  return randomBytes(16).toString('base64url');
}
