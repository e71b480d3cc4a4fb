import { setTimeout as wait } from 'node:timers/promises';
import type { Issuer, Transport } from '@authsec/manager-client';
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { createTransportFetch } from '../session/transport-fetch.js';

const cooldownMs = 1_000;
const secondChanceEveryMs = 30_000;

/**
 * The issuer's public keys, fetched when first needed; an unknown `kid` fetches again, once in a second at most. A token
 * of a key that began to sign within that second waits for its end (one in 30 s does: whoever invents a `kid` waits for
 * nothing): a code that was redeemed is not to be lost to a rotation.
 */
export function createIssuerKeys(issuer: Issuer, transport: Transport, timeoutMs: number): JWTVerifyGetKey {
  const transportFetch = createTransportFetch(transport, timeoutMs);
  const keys = createRemoteJWKSet(new URL(`${issuer.issuer}/jwks`), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: 600_000,
    [customFetch]: transportFetch,
  });
  let chanceAt = Number.NEGATIVE_INFINITY;
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      const mayWait = performance.now() - chanceAt >= secondChanceEveryMs;
      if (!(error instanceof errors.JWKSNoMatchingKey) || !keys.coolingDown || !mayWait) throw error;
      chanceAt = performance.now();
      await wait(cooldownMs, undefined, { ref: false });
      return keys(header, token);
    }
  };
}
