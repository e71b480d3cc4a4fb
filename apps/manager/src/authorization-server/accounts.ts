import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import type { TenantContext } from './tenant-context.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The person behind a login; undefined for one that is gone or disabled, which ends whatever rests on it. */
export function createFindAccount({ db }: Pick<TenantContext, 'db'>) {
  return async (_ctx: KoaContextWithOIDC, sub: string): Promise<Account | undefined> => {
    if (!uuid.test(sub)) return undefined;
    const database = await db();
    const user = await database.user.findUnique({ where: { id: sub }, select: { status: true } });
    if (user?.status !== 'active') return undefined;
    return { accountId: sub, claims: () => ({ sub }) };
  };
}
