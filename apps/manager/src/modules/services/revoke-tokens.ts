import type { Logger } from 'pino';
import { AppError } from '../../errors/app-error.js';
import type { SecretStore } from '../../ports/secret-store.js';
import { ProviderFailure } from '../identity-providers/provider-failure.js';
import type { ConnectionSecret } from './connection-secret.js';
import type { Service } from './service.js';
import { readSecretOf } from './service-secret-reader.js';
import type { TokenClient } from './token-client.js';

export interface RevocationOptions {
  readonly secrets: Pick<SecretStore, 'read'>;
  readonly client: Pick<TokenClient, 'revoke'>;
  readonly logger: Logger;
}

/** Tells a service that tokens are no longer used; gives how many it says that it knows of. Never rejects. */
export type RevokeTokens = (tokens: readonly ConnectionSecret[]) => Promise<number>;

const atOnce = 10;
const eachMs = 1_500;
const altogetherMs = 30_000;

/**
 * RFC 7009, as far as it goes within half a minute. Undefined where the service has no endpoint for it, or our own
 * secret cannot be read: that is done here, since afterwards it may be another one, or gone.
 */
export async function openRevocation(
  { secrets, client, logger }: RevocationOptions,
  { tenantId, service }: { readonly tenantId: string; readonly service: Service },
): Promise<RevokeTokens | undefined> {
  const { settings, id } = service;
  if (settings.kind !== 'oauth2_authorization_code' || settings.revocation_endpoint === undefined) return undefined;
  const byCode = settings;
  const tell = (check: string) =>
    logger.warn({ tenant: tenantId, service: id, check }, 'the tokens of a connection were not revoked');
  let clientSecret: string;
  try {
    const place = { tenantId, service, kind: byCode.kind };
    ({ client_secret: clientSecret } = await readSecretOf(secrets, place, service.secretVersion));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    tell(error.code);
    return undefined;
  }

  return async (tokens) => {
    const over = AbortSignal.timeout(altogetherMs);
    const waiting = [...tokens];
    let revoked = 0;
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) if (await revoke(next, over)) revoked++;
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, tokens.length) }, work));
    return revoked;
  };

  async function revoke({ refreshToken, accessToken }: ConnectionSecret, over: AbortSignal): Promise<boolean> {
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(eachMs), over]);
      signal.throwIfAborted();
      await client.revoke({ service, settings: byCode, clientSecret, signal }, refreshToken ?? accessToken);
      return true;
    } catch (error) {
      tell(error instanceof ProviderFailure ? error.check : 'not_asked');
      return false;
    }
  }
}
