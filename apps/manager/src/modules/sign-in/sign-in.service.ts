import type { TenantDatabase } from '../../db/tenant-clients.js';
import type { RateLimits } from '../../ports/rate-limits.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import { verifyPassword } from './passwords.js';
import { describeScopes, findEmail, findPasswordAccount } from './sign-in.repository.js';

export interface PasswordAttempt {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly email: string;
  readonly password: string;
  /** The network that the attempt comes from. */
  readonly network: string;
  /** This browser has signed this account in before (a signed cookie says so). */
  readonly knownBrowser: boolean;
}

export interface SignInService {
  /** The person, or undefined: unknown, disabled and wrong password are one answer, after the same work. AppError 'rate_limited'. */
  signInWithPassword(attempt: PasswordAttempt): Promise<{ readonly userId: string } | undefined>;
  /** What the approval page says of the person and of the scopes; undefined for a person who is gone. */
  describeApproval(
    db: TenantDatabase,
    userId: string,
    scopes: readonly string[],
  ): Promise<{ readonly email: string; readonly scopes: { name: string; description: string }[] } | undefined>;
}

const windowSeconds = 5 * 60;

/**
 * Attempts that fail are counted by account and network, by network, and by account from browsers that are new to it:
 * guessing from many networks ends at the last, which does not lock out the browser that the person uses. All of them
 * are counted too, with room for an office that comes to work: hashing must not keep the machine busy.
 */
export function createSignInService(
  rateLimits: Pick<RateLimits, 'create'>,
  telemetry: Pick<Telemetry, 'record'> = noTelemetry,
): SignInService {
  const byNetwork = rateLimits.create('sign-in-network', { points: 100, windowSeconds });
  const byAccountAndNetwork = rateLimits.create('sign-in-account-network', { points: 20, windowSeconds });
  const byAccount = rateLimits.create('sign-in-account', { points: 60, windowSeconds });
  const allByNetwork = rateLimits.create('sign-ins-network', { points: 3_000, windowSeconds });
  const allByAccount = rateLimits.create('sign-ins-account', { points: 600, windowSeconds });
  return {
    async signInWithPassword({ tenantId, db, email: typed, password, network, knownBrowser }) {
      const email = normalizeEmail(typed);
      const count = (outcome: 'success' | 'refused' | 'rate_limited') =>
        telemetry.record({ kind: 'login', tenantId, method: 'password', outcome });
      const ofAccount = `${tenantId}/${email}`;
      const giveBack: (() => Promise<void>)[] = [];
      try {
        giveBack.push(await byNetwork.borrow(network));
        giveBack.push(await byAccountAndNetwork.borrow(`${tenantId}/${network}/${email}`));
        if (!knownBrowser) giveBack.push(await byAccount.borrow(ofAccount));
        await allByNetwork.consume(network);
        await allByAccount.consume(ofAccount);
      } catch (error) {
        count('rate_limited');
        throw error;
      }
      const account = await findPasswordAccount(db, email);
      const matches = await verifyPassword(account?.passwordHash ?? undefined, password);
      const person = account && matches && account.status === 'active' ? { userId: account.userId } : undefined;
      count(person ? 'success' : 'refused');
      if (person) await Promise.all(giveBack.map((one) => one()));
      return person;
    },
    async describeApproval(db, userId, scopes) {
      const email = await findEmail(db, userId);
      return email === undefined ? undefined : { email, scopes: await describeScopes(db, scopes) };
    },
  };
}

export function normalizeEmail(email: string): string {
  return email.replaceAll('\0', '').trim().toLowerCase().slice(0, 320);
}
