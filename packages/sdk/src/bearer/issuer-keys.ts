import type { Issuer, Transport } from '@authsec/manager-client';
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { createTransportFetch } from '../session/transport-fetch.js';

/** The issuer's public keys, fetched when first needed; an unknown `kid` fetches again once in 30 s at most. */
export function createIssuerKeys(issuer: Issuer, transport: Transport, timeoutMs: number): JWTVerifyGetKey {
  const transportFetch = createTransportFetch(transport, timeoutMs);
  return createRemoteJWKSet(new URL(`${issuer.issuer}/jwks`), {
    timeoutDuration: timeoutMs,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    [customFetch]: transportFetch,
  });
}
