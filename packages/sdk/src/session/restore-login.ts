import { backoffMs, type ActiveSession } from '@authsec/manager-client';
import { AuthSecError } from '../authsec-error.js';
import { pause } from '../clock.js';
import type { Sent } from '../grants/lease.js';
import type { LoginContext } from './login-context.js';
import type { ManagerAccess } from './manager-access.js';
import { createLoginRefresher, type LoginRefresher } from './refresh-login.js';

export interface RestoredLogin {
  readonly session: ActiveSession;
  readonly sent: Sent;
  readonly access: ManagerAccess;
  readonly refresher: LoginRefresher;
}

const backoff = { baseMs: 1_000, maxMs: 30_000 };

/** The login that this person was remembered with, once the Manager says that it still is one; tries until it answers. */
export async function restoreLogin(context: LoginContext, signal: AbortSignal): Promise<RestoredLogin | undefined> {
  const { clock, log, remembered } = context;
  const kept = await remembered?.read();
  if (!kept) return undefined;
  const refresher = createLoginRefresher(context, { refreshToken: kept.refreshToken, kept });
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await ask(context, kept, refresher);
    } catch (error) {
      const code = error instanceof AuthSecError ? error.code : 'internal_error';
      if (code === 'code_refused' || code === 'login_refused') {
        log.info('the remembered login is over', { sub: kept.sub });
        return undefined;
      }
      log.info('the remembered login cannot be restored yet', { code });
      await pause(clock, backoffMs(failures, backoff), signal);
    }
  }
  return undefined;
}

async function ask(
  context: LoginContext,
  kept: { readonly sid: string; readonly sub: string },
  refresher: LoginRefresher,
): Promise<RestoredLogin> {
  const access = context.accesses.open(await refresher.refresh(), refresher);
  try {
    const sent = access.grants.sending();
    const { sessions } = await access.sessions.renew([kept.sid]);
    const session = sessions.find(({ sid }) => sid === kept.sid);
    if (session?.status === 'active' && session.sub === kept.sub) return { session, sent, access, refresher };
    await refresher.forget();
    throw new AuthSecError('code_refused', 'the remembered login has ended');
  } catch (error) {
    context.accesses.release(access);
    throw error;
  }
}
