import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
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
  login?.checks.add(new Check('logged_out', 'the person has logged out since', (ctx) => hasLoggedOutSince(ctx)), 1);
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

  /** A logout anywhere makes every browser ask anew who is there: a browser does not say which logins it began. */
  async function hasLoggedOutSince({ oidc }: KoaContextWithOIDC): Promise<boolean> {
    const { accountId, loginTs } = oidc.session ?? {};
    if (accountId === undefined || oidc.result?.login) return false;
    const database = await db();
    const rows = await database.$queryRaw<unknown[]>`
      SELECT 1 FROM sessions
      WHERE user_id = ${accountId}::uuid AND end_reason = 'logged_out'
        AND ended_at >= to_timestamp(${loginTs ?? 0}::float8) LIMIT 1`;
    return rows.length > 0;
  }
}
