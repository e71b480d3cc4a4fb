import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import { type SecretStore, SecretStoreError } from '../../ports/secret-store.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { ProviderFailure } from '../identity-providers/provider-failure.js';
import { type ConnectionSecret, fromSecretValue, toConnectionSecret, toSecretValue } from './connection-secret.js';
import { claimRefresh, type Connection, findConnection, settleRefresh } from './connections.repository.js';
import { connectionAddressOf, type Service } from './service.js';
import { readSecretOf } from './service-secret-reader.js';
import type { AuthorizationCodeSettings, TokenClient } from './token-client.js';
import { atStore } from './translate-store-error.js';

/** Whose account at which service. */
export interface Account {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  readonly service: Service;
  readonly settings: AuthorizationCodeSettings;
  readonly userId: string;
}

export interface StoredTokens {
  readonly secret: ConnectionSecret;
  readonly version: number;
}

export interface ConnectionTokensOptions {
  readonly secrets: SecretStore;
  readonly client: Pick<TokenClient, 'refresh'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type RefreshConnection = (account: Account, connection: Connection) => Promise<ConnectionSecret>;

/** Longer than everything that a refresh may take together; then somebody else may try. */
const claimSeconds = 30;
const endpointMs = 4_000;
const waitMs = 8_000;
const writeAgainAfterMs = [100, 300, 1_000, 3_000, 5_000];

/** What the store has for the account, or undefined. */
export async function readTokens(
  secrets: Pick<SecretStore, 'read'>,
  { tenantId, service, userId }: Pick<Account, 'tenantId' | 'service' | 'userId'>,
): Promise<StoredTokens | undefined> {
  try {
    const { value, version } = await secrets.read(connectionAddressOf(tenantId, service.id, userId));
    const secret = fromSecretValue(value);
    return secret && { secret, version };
  } catch (error) {
    if (error instanceof SecretStoreError && error.failure === 'missing') return undefined;
    return atStore(Promise.reject(error));
  }
}

export function notConnected({ service }: Pick<Account, 'service'>, why: string): AppError {
  return new AppError('service_not_connected', `service ${service.name}: ${why}`);
}

/**
 * New tokens for an account, by one request whatever number of callers and replicas need them: a claim on the row. What
 * the service gave is in the store before anyone uses it. It goes on when nobody waits any more: what was rotated at
 * the service must not be lost.
 */
export function createRefreshConnection(options: ConnectionTokensOptions): RefreshConnection {
  const { secrets, client, clock, logger } = options;
  const isFresh = ({ secret }: StoredTokens) => secret.refreshAt === undefined || secret.refreshAt > clock.now();

  async function refresh(account: Account, connection: Connection): Promise<ConnectionSecret> {
    const giveUpAt = clock.monotonic() + waitMs;
    for (;;) {
      const claim = await claimRefresh(account.db, connection.id, claimSeconds);
      if (claim) return underClaim(account, connection, claim);
      await delay(100);
      const found = await readTokens(secrets, account);
      if (found && isFresh(found)) return found.secret;
      const now = await findConnection(account.db, account.service.id, account.userId);
      if (now?.status !== 'connected') throw notConnected(account, 'the connection ended');
      if (clock.monotonic() > giveUpAt) throw new AppError('service_unavailable', 'a refresh elsewhere does not end');
    }
  }

  async function underClaim(account: Account, connection: Connection, claim: Date): Promise<ConnectionSecret> {
    const held = { id: connection.id, claim };
    let settled = false;
    try {
      const before = await readTokens(secrets, account);
      if (!before) throw notConnected(account, 'there are no tokens');
      // Somebody else was faster.
      if (isFresh(before)) return before.secret;
      const after = await askService(account, before);
      if (after === 'refused') {
        const meanwhile = await readTokens(secrets, account);
        if (meanwhile && meanwhile.version !== before.version) return meanwhile.secret;
        settled = await settleRefresh(account.db, held, { status: 'reconnect' });
        if (settled) await lose(account, before.version);
        throw notConnected(account, 'the service refused the refresh');
      }
      const kept = await keep(account, after, before.version);
      const { scope = null, expiresAt } = kept.secret;
      const secretVersion = kept.version;
      const change = { scope, secretVersion, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) };
      settled = await settleRefresh(account.db, held, change);
      await destroy(account, before.version);
      const written = kept.secret === after;
      if (!settled) await assertConnected(account, connection, { written, version: kept.version });
      return kept.secret;
    } finally {
      if (!settled) await settleRefresh(account.db, held, {});
    }
  }

  /** 'refused' where the person has to connect anew. */
  async function askService(account: Account, { secret }: StoredTokens): Promise<ConnectionSecret | 'refused'> {
    const { tenantId, service, settings } = account;
    if (secret.refreshToken === undefined) return 'refused';
    const kind = 'oauth2_authorization_code';
    const { client_secret: clientSecret } = await readSecretOf(
      secrets,
      { tenantId, service, kind },
      service.secretVersion,
    );
    const askedAt = clock.now();
    try {
      const signal = AbortSignal.timeout(endpointMs);
      const tokens = await client.refresh({ service, settings, clientSecret, signal }, secret.refreshToken);
      return toConnectionSecret(tokens, askedAt, secret);
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      logger.warn({ tenant: tenantId, service: service.id, check: error.check }, 'a connection was not refreshed');
      if (error.check === 'token_endpoint.invalid_grant') return 'refused';
      throw new AppError('service_unavailable', `service ${service.name}: ${error.check}`);
    }
  }

  /** Tries for a while: the service may have made the old refresh token worthless already. */
  async function keep(account: Account, secret: ConnectionSecret, expectedVersion: number): Promise<StoredTokens> {
    const { tenantId, service, userId } = account;
    const address = connectionAddressOf(tenantId, service.id, userId);
    for (const againAfter of [...writeAgainAfterMs, undefined]) {
      try {
        return { secret, version: await secrets.write(address, toSecretValue(secret), { expectedVersion }) };
      } catch (error) {
        if (!(error instanceof SecretStoreError)) throw error;
        if (error.failure === 'conflict') {
          // Written by an attempt whose answer was lost, or the person connected anew.
          const found = await readTokens(secrets, account);
          if (!found) throw notConnected(account, 'the connection ended');
          return found.secret.accessToken === secret.accessToken ? { ...found, secret } : found;
        }
        if (error.failure !== 'unavailable' || againAfter === undefined) return atStore(Promise.reject(error));
        await delay(againAfter);
      }
    }
    throw new AppError('secret_store_unavailable', 'tokens could not be kept');
  }

  /** AppError where the connection ended while it was refreshed; of one made anew nothing from before is given. */
  async function assertConnected(
    account: Account,
    { id }: Connection,
    { written, version }: { readonly written: boolean; readonly version: number },
  ): Promise<void> {
    const now = await findConnection(account.db, account.service.id, account.userId);
    if (now?.id === id) return;
    if (written) await destroy(account, version);
    if (!now) throw notConnected(account, 'the connection ended');
    if (written) throw new AppError('service_unavailable', `service ${account.service.name}: connected anew meanwhile`);
  }

  /** One version only: whatever comes after it may be of another connection. */
  async function destroy({ tenantId, service, userId }: Account, version: number): Promise<void> {
    await secrets.destroyVersion(connectionAddressOf(tenantId, service.id, userId), version).catch(() => {});
  }

  async function lose(account: Account, version: number): Promise<void> {
    const { db, service, userId } = account;
    await recordAuditEvent(db, {
      action: 'service.connection_lost',
      actor: { kind: 'system', id: null },
      target: { kind: 'service', id: service.id },
      outcome: 'done',
      requestId: undefined,
      details: { name: service.name, sub: userId },
    });
    await destroy(account, version);
  }

  const flights = new Map<string, Promise<ConnectionSecret>>();
  return (account, connection) => {
    const key = `${account.tenantId}/${connection.id}`;
    const flight =
      flights.get(key) ??
      refresh(account, connection).finally(() => {
        flights.delete(key);
      });
    flights.set(key, flight);
    return flight;
  };
}
