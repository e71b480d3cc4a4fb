import { LRUCache } from 'lru-cache';
import { hashIdentifier } from '../../db/hash-identifier.js';
import type { Clock } from '../../ports/clock.js';
import type { Service } from './service.js';
import type { ClientCredentialsSettings, TokenClient } from './token-client.js';

export interface ClientTokenRequest {
  readonly tenantId: string;
  readonly service: Pick<Service, 'id' | 'allowPrivateAddresses'>;
  readonly settings: ClientCredentialsSettings;
  /** Of the client secret. */
  readonly version: number;
  /** Asked only where a token has to be fetched. */
  readonly clientSecret: () => Promise<string>;
}

export interface FreshToken {
  readonly accessToken: string;
  /** Seconds, at most 300, that it may still be kept. */
  readonly keepSeconds: number;
}

/** Tokens of services that the tenant itself is a client of. Rejects with ProviderFailure, or as `clientSecret` does. */
export type ClientCredentialsTokens = (request: ClientTokenRequest) => Promise<FreshToken>;

const maxKeepSeconds = 300;
const unsaidLifetimeSeconds = 300;
const endpointMs = 1_500;

interface Kept {
  readonly accessToken: string;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Kept in memory only, under everything that it was got by; many who need one at the same moment make one request. */
export function createClientCredentialsTokens({
  client,
  clock,
}: {
  readonly client: Pick<TokenClient, 'clientCredentials'>;
  readonly clock: Clock;
}): ClientCredentialsTokens {
  const kept = new LRUCache<string, Kept>({ max: 1_000 });
  const pending = new Map<string, Promise<Kept>>();

  async function fetchToken(key: string, request: ClientTokenRequest): Promise<Kept> {
    const { service, settings } = request;
    const clientSecret = await request.clientSecret();
    const askedAt = clock.monotonic();
    const signal = AbortSignal.timeout(endpointMs);
    const { accessToken, lifetimeSeconds = unsaidLifetimeSeconds } = await client.clientCredentials({
      service,
      settings,
      clientSecret,
      signal,
    });
    // A request with it is still on its way for a while.
    const usable = lifetimeSeconds - Math.min(10, lifetimeSeconds / 2);
    const found = { accessToken, until: askedAt + Math.min(usable, maxKeepSeconds) * 1_000 };
    kept.set(key, found);
    return found;
  }

  return async (request) => {
    const key = keyOf(request);
    let token = kept.get(key);
    if (!token || token.until <= clock.monotonic()) {
      let flight = pending.get(key);
      if (!flight) {
        flight = fetchToken(key, request).finally(() => pending.delete(key));
        pending.set(key, flight);
      }
      token = await flight;
    }
    const keepSeconds = Math.max(0, (token.until - clock.monotonic()) / 1_000);
    return { accessToken: token.accessToken, keepSeconds };
  };
}

function keyOf({ tenantId, service, settings, version }: ClientTokenRequest): string {
  return hashIdentifier(JSON.stringify([tenantId, service.id, version, service.allowPrivateAddresses, settings]));
}
