import { AppError } from '../../errors/app-error.js';
import type { FreshToken } from './client-credentials-tokens.js';
import type { ConnectionSecret } from './connection-secret.js';
import { findConnection, noteConnectionUse } from './connections.repository.js';
import {
  type Account,
  type ConnectionTokensOptions,
  createRefreshConnection,
  notConnected,
  readTokens,
} from './refresh-connection.js';

/**
 * An access token of the person's own account, refreshed where it is nearly over. AppError 'service_not_connected' where
 * the person has to do something, 'service_unavailable' where waiting helps.
 */
export type PersonTokens = (account: Account) => Promise<FreshToken>;

const maxKeepSeconds = 300;
/** What a request with it takes. */
const marginMs = 5_000;

export function createPersonTokens(options: ConnectionTokensOptions): PersonTokens {
  const { secrets, clock } = options;
  const refresh = createRefreshConnection(options);
  const leftMs = ({ expiresAt }: ConnectionSecret) => (expiresAt ?? Infinity) - clock.now() - marginMs;

  return async (account) => {
    const connection = await findConnection(account.db, account.service.id, account.userId);
    if (!connection) throw notConnected(account, 'no connection of this person');
    if (connection.status !== 'connected') throw notConnected(account, 'the person has to connect anew');
    const found = await readTokens(secrets, account);
    if (!found) throw notConnected(account, 'there are no tokens');
    let { secret } = found;
    if (secret.refreshAt !== undefined && secret.refreshAt <= clock.now()) {
      try {
        secret = await refresh(account, connection);
      } catch (error) {
        // Not for now: as long as the token from before is good, nothing is lost.
        const passing = error instanceof AppError && error.code !== 'service_not_connected';
        if (!passing || leftMs(secret) <= 0) throw error;
      }
    }
    await noteConnectionUse(account.db, connection.id);
    const keepSeconds = Math.max(0, Math.min(maxKeepSeconds, leftMs(secret) / 1_000));
    return { accessToken: secret.accessToken, keepSeconds };
  };
}
