import { errors, type Client, type KoaContextWithOIDC } from 'oidc-provider';
import type { TenantContext } from './tenant-context.js';

/** Seconds: so long the database remembers that an assertion was used. */
const maxLifetimeSeconds = 10 * 60;
const toleranceSeconds = 5;

/**
 * What is asked of a client assertion (RFC 7523) beside its signature and that it is used once: one audience, which is
 * this issuer or its token endpoint, so that none that was made for another server is good here; and a short life.
 */
export function createClientAssertionCheck({ issuer, clock }: Pick<TenantContext, 'issuer' | 'clock'>) {
  const audiences = new Set<unknown>([issuer, `${issuer}/token`]);
  return async (
    _ctx: KoaContextWithOIDC,
    claims: Record<string, unknown>,
    _header: Record<string, unknown>,
    client: Client,
  ): Promise<void> => {
    const { aud, sub, jti, iat, exp } = claims;
    const now = clock.now() / 1000;
    const isShort = (value: unknown) => typeof value === 'string' && value.length <= 256;
    if (!audiences.has(aud)) throw refused('aud must be the issuer or its token endpoint, and nothing beside it');
    if (sub !== client.clientId) throw refused('sub must be the client_id');
    if (!isShort(jti)) throw refused('jti must be a text of 256 characters at most');
    if (typeof exp !== 'number' || exp > now + maxLifetimeSeconds) throw refused('exp must be within ten minutes');
    if (typeof iat === 'number' && iat > now + toleranceSeconds) throw refused('iat lies in the future');
  };
}

function refused(message: string): errors.InvalidClientAuth {
  return new errors.InvalidClientAuth(message);
}
