import type { Logger } from 'pino';
import type { Clock } from '../../ports/clock.js';
import { SecretStoreError } from '../../ports/secret-store.js';
import { VaultError, type VaultClient } from './vault-client.js';
import { type ConnectAs, lookUpToken, readToken, type VaultToken } from './vault-logins.js';
import { vaultPath } from './vault-paths.js';

export interface VaultSessionOptions {
  /** For logs. */
  readonly name: string;
  readonly login: () => Promise<VaultToken>;
  readonly connectAs: ConnectAs;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between 0 and 1: spreads the renewals of many. */
  readonly random?: (() => number) | undefined;
  /** Whether it is kept alive while nobody uses it. */
  readonly keep: boolean;
  readonly onEnd?: (() => void) | undefined;
}

/** A token that is kept alive in memory and replaced when it ends. */
export interface VaultSession {
  /** Refused, it looks whether the token is still one, and if it is not does the work once more with a new one. */
  run<T>(work: (client: VaultClient) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** What lives of the token lives on until then, by the monotonic clock. */
  keepUntil(monotonicMs: number): void;
  close(): void;
}

interface Live extends VaultToken {
  readonly client: VaultClient;
  readonly endsAt: number;
}

const retryMs = 1_000;
/** Where a new token is refused too, one is not made for each call. */
const loginPauseMs = 2_000;

export function createVaultSession(options: VaultSessionOptions): VaultSession {
  const { name, connectAs, clock, logger, random = Math.random, keep } = options;
  let live: Live | undefined;
  let loggingIn: Promise<Live> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let used = false;
  let closed = false;
  let keptUntil = 0;
  let noLoginBefore = -Infinity;

  const schedule = (delayMs: number, step: () => Promise<void>): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => void step(), delayMs);
    timer.unref();
  };
  const take = (token: VaultToken): Live => {
    const ends = token.ttlSeconds > 0;
    live = {
      ...token,
      client: connectAs(token.token),
      endsAt: ends ? clock.monotonic() + token.ttlSeconds * 1_000 : Infinity,
    };
    if (ends) schedule(token.ttlSeconds * 1_000 * (2 / 3) * (0.9 + 0.1 * random()), renew);
    return live;
  };
  const logIn = (): Promise<Live> => {
    loggingIn ??= options
      .login()
      .then(take)
      .finally(() => (loggingIn = undefined));
    return loggingIn;
  };
  const end = (): void => {
    clearTimeout(timer);
    live = undefined;
    options.onEnd?.();
  };

  async function renew(): Promise<void> {
    const old = live;
    if (!old) return;
    if (!keep && !used && clock.monotonic() > keptUntil) return end();
    used = false;
    try {
      // What lives of a token ends with it, so that one which can be renewed is never replaced.
      const renewed = old.renewable ? await renewToken(old) : undefined;
      if (renewed && renewed.ttlSeconds > old.ttlSeconds / 3) take({ ...renewed, policies: old.policies });
      else await logIn();
    } catch (err) {
      const unavailable = err instanceof SecretStoreError && err.failure === 'unavailable';
      logger.warn({ session: name, err }, 'vault: a token was not renewed');
      if (unavailable) schedule(retryMs, renew);
      else await logIn().catch(() => schedule(retryMs * 5, renew));
    }
  }

  async function renewToken(old: Live): Promise<VaultToken> {
    const what = `renewing the token of ${name}`;
    const path = vaultPath('auth/token/renew-self');
    return readToken(await old.client.request({ method: 'POST', path, what, body: {} }), what);
  }

  const current = async (): Promise<Live> => (live && clock.monotonic() < live.endsAt ? live : logIn());

  return {
    async run(work, signal) {
      used = true;
      const held = await current();
      try {
        return await work(held.client);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (live === held) {
          if (clock.monotonic() < noLoginBefore || (await isAlive(held, signal))) throw error;
          if (live === held) live = undefined;
        }
        const anew = await current();
        return work(anew.client).catch((again: unknown) => {
          if (isRefusal(again)) noLoginBefore = clock.monotonic() + loginPauseMs;
          throw again;
        });
      }
    },
    keepUntil: (monotonicMs) => (keptUntil = Math.max(keptUntil, monotonicMs)),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Vault says 403 to a token that is none as to one that may not. */
function isRefusal(error: unknown): boolean {
  return error instanceof VaultError && error.status === 403;
}

async function isAlive(held: Live, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await lookUpToken(held.client, held.token, signal);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}
