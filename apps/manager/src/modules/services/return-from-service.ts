import type { Logger } from 'pino';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Sealer } from '../../ports/sealer.js';
import { type SecretStore, SecretStoreError } from '../../ports/secret-store.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { ProviderFailure } from '../identity-providers/provider-failure.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import {
  attemptBinding,
  callbackUrlOf,
  type ConnectContext,
  digestOf,
  returnCookieName,
  returnHash,
} from './connect-attempt.js';
import { type ReturnedAttempt, takeReturn } from './connect-attempts.repository.js';
import { type ConnectionSecret, toConnectionSecret, toSecretValue } from './connection-secret.js';
import { connect, type Connection, deleteConnection } from './connections.repository.js';
import { connectionAddressOf, type Service } from './service.js';
import { readSecretOf } from './service-secret-reader.js';
import { findService } from './services.repository.js';
import type { AuthorizationCodeSettings, TokenClient } from './token-client.js';
import { atStore } from './translate-store-error.js';
import { withinBudget } from './within-budget.js';

/** What a browser brings back from a service. */
export interface ServiceAnswer {
  readonly serviceId: string;
  /** With its `?`. */
  readonly query: string;
  readonly cookieOf: (name: string) => string | undefined;
  /** Who is signed in at this browser. */
  readonly personNow: string | undefined;
}

export type ServiceReturn =
  | { readonly outcome: 'connected' | 'denied' | 'failed'; readonly serviceName: string }
  | { readonly outcome: 'spent' | 'other_person' };

export type ReturnFromService = (context: ConnectContext, answer: ServiceAnswer) => Promise<ServiceReturn>;

export interface ReturnOptions {
  readonly secrets: SecretStore;
  readonly client: Pick<TokenClient, 'redeem'>;
  readonly sessions: Pick<SessionsService, 'findSession'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly logger: Logger;
}

const redeemMs = 3_000;
/** A page comes within six seconds. */
const budgetMs = 5_500;

type Connectable = Service & { readonly settings: AuthorizationCodeSettings };

/** Uses the attempt up before anything of the answer is looked at; then only its own person, in its own browser, connects. */
export function createReturnFromService(options: ReturnOptions): ReturnFromService {
  const { secrets, client, sessions, sealer, clock, logger } = options;

  async function comeBack(context: ConnectContext, answer: ServiceAnswer): Promise<ServiceReturn> {
    const { db, tenantId } = context;
    const state = onlyOne(answer.query, 'state');
    const cookie = state === undefined ? undefined : answer.cookieOf(returnCookieName(state));
    if (state === undefined || cookie === undefined || !isUuid(answer.serviceId)) return { outcome: 'spent' };
    const key = { stateHash: returnHash(state, cookie), serviceId: answer.serviceId };
    const attempt = await takeReturn(db, key, new Date(clock.now()));
    if (!attempt?.sealedVerifier) return { outcome: 'spent' };
    if (attempt.userId !== answer.personNow) return { outcome: 'other_person' };
    const sealed = sealer.open(attempt.sealedVerifier, attemptBinding(tenantId, attempt.id)).toString('utf8');
    const kept = JSON.parse(sealed) as { readonly verifier: string; readonly settings: string };
    const service = await findConnectable(context, attempt, kept.settings);
    if (!service || !(await isAlive(context, attempt))) return { outcome: 'spent' };
    const { name: serviceName } = service;
    if (onlyOne(answer.query, 'error') === 'access_denied') return { outcome: 'denied', serviceName };
    let connection: Connection;
    try {
      const url = new URL(callbackUrlOf(context.issuer, service.id) + answer.query);
      const secret = await redeem(context, service, { url, state, verifier: kept.verifier });
      connection = await keep(context, { service, userId: attempt.userId }, secret);
    } catch (error) {
      const check = checkOf(error);
      if (check === undefined) {
        if (await findConnectable(context, attempt, kept.settings)) throw error;
        return { outcome: 'spent' };
      }
      logger.warn({ tenant: tenantId, service: service.id, check }, 'an account was not connected');
      return { outcome: 'failed', serviceName };
    }
    if (await findConnectable(context, attempt, kept.settings)) return { outcome: 'connected', serviceName };
    // Its settings changed meanwhile, and what people had connected ended.
    await deleteConnection(db, connection);
    const address = connectionAddressOf(tenantId, service.id, attempt.userId);
    await secrets.destroyVersion(address, connection.secretVersion).catch(() => {});
    return { outcome: 'spent' };
  }

  async function findConnectable(
    { db }: ConnectContext,
    { serviceId }: ReturnedAttempt,
    digest: string,
  ): Promise<Connectable | undefined> {
    const service = await findService(db, serviceId);
    if (!service?.enabled || service.settings.kind !== 'oauth2_authorization_code') return undefined;
    return digestOf(service) === digest ? { ...service, settings: service.settings } : undefined;
  }

  /** The login for which the link was made. */
  async function isAlive({ db }: ConnectContext, { sid, userId }: ReturnedAttempt): Promise<boolean> {
    const session = await sessions.findSession(db, sid);
    return session?.userId === userId && session.endedAt === null && session.expiresAt.getTime() > clock.now();
  }

  async function redeem(
    { tenantId }: ConnectContext,
    service: Connectable,
    answer: Parameters<TokenClient['redeem']>[1],
  ): Promise<ConnectionSecret> {
    const { settings, secretVersion } = service;
    const kind = 'oauth2_authorization_code';
    const { client_secret: clientSecret } = await readSecretOf(secrets, { tenantId, service, kind }, secretVersion);
    const askedAt = clock.now();
    const signal = AbortSignal.timeout(redeemMs);
    return toConnectionSecret(await client.redeem({ service, settings, clientSecret, signal }, answer), askedAt);
  }

  async function keep(
    { db, tenantId, requestId }: ConnectContext,
    { service, userId }: { readonly service: Connectable; readonly userId: string },
    secret: ConnectionSecret,
  ): Promise<Connection> {
    const address = connectionAddressOf(tenantId, service.id, userId);
    const secretVersion = await write();
    if (secretVersion > 1) await secrets.destroyVersion(address, secretVersion - 1).catch(() => {});
    const { scope = null, expiresAt } = secret;
    const tokens = { scope, secretVersion, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) };
    try {
      return await db.$transaction(async (transaction) => {
        const connection = await connect(transaction, { serviceId: service.id, userId }, tokens);
        await recordAuditEvent(transaction, {
          action: 'service.connect',
          actor: { kind: 'user', id: userId },
          target: { kind: 'service', id: service.id },
          outcome: 'done',
          requestId,
          details: { name: service.name, scope },
        });
        return connection;
      });
    } catch (error) {
      // No row tells of them: nobody would ever take them away.
      await secrets.destroyVersion(address, secretVersion).catch(() => {});
      throw error;
    }

    /** A refresh of the tokens from before may be under way. */
    async function write(triesLeft = 3): Promise<number> {
      const expectedVersion = await atStore(secrets.currentVersion(address));
      try {
        return await secrets.write(address, toSecretValue(secret), { expectedVersion });
      } catch (error) {
        const again = error instanceof SecretStoreError && error.failure === 'conflict' && triesLeft > 1;
        return again ? write(triesLeft - 1) : atStore(Promise.reject(error));
      }
    }
  }

  return async (context, answer) => {
    try {
      return await withinBudget(budgetMs, (progress) => {
        progress.waitingFor = 'service_unavailable';
        return comeBack(context, answer);
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'service_unavailable') throw error;
      const service = isUuid(answer.serviceId) ? await findService(context.db, answer.serviceId) : undefined;
      return { outcome: 'failed', serviceName: service?.name ?? 'the service' };
    }
  };
}

/** For the operator's log; undefined for what is none of the service's doing. */
function checkOf(error: unknown): string | undefined {
  if (error instanceof ProviderFailure) return error.check;
  const codes = ['secret_store_unavailable', 'secret_store_denied', 'secret_missing', 'conflict'];
  return error instanceof AppError && codes.includes(error.code) ? error.code : undefined;
}

/** A parameter that came once; anything else is nobody's. */
function onlyOne(query: string, name: string): string | undefined {
  const values = new URLSearchParams(query).getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
