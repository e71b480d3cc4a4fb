import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { hasLoggedOutSince } from './logged-out-since.js';
import type { TenantContext } from './tenant-context.js';

const { Check, Prompt, base } = interactionPolicy;

/** When a person is asked: who they are (`login`), and, at each login, whether they approve it (`consent`). */
export function createLoginPolicy({ db }: TenantContext): interactionPolicy.DefaultPolicy {
  const policy = base();
  const login = policy.get('login');
  login?.checks.add(
    new Check('account_gone', 'the account cannot sign in any more', ({ oidc }) =>
      Promise.resolve(oidc.session?.accountId !== undefined && oidc.account === undefined),
    ),
    0,
  );
  login?.checks.add(new Check('logged_out', 'the person has logged out since', (ctx) => hasLoggedOut(ctx)), 1);
  policy.remove('consent');
  policy.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check(
        'approval',
        'each login is approved by the person',
        'consent_required',
        ({ oidc }) => !oidc.result?.consent,
      ),
    ),
  );
  return policy;

  async function hasLoggedOut({ oidc }: KoaContextWithOIDC): Promise<boolean> {
    const { accountId, loginTs } = oidc.session ?? {};
    if (accountId === undefined || oidc.result?.login) return false;
    return hasLoggedOutSince(await db(), accountId, loginTs);
  }
}
