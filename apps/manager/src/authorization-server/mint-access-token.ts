import type { KoaContextWithOIDC } from 'oidc-provider';
import type { TenantContext } from './tenant-context.js';
import { setPurpose, type TokenPurpose } from './token-purpose.js';

export interface TokenToMint {
  /** The grant id of the login. */
  readonly sid: string;
  readonly userId: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
  readonly purpose: TokenPurpose;
}

/** Makes an access token (RFC 9068) of a login beside that of its exchange, by the same claims and the same key. */
export async function mintAccessToken(
  { oidc }: KoaContextWithOIDC,
  { signing }: Pick<TenantContext, 'signing'>,
  { sid, userId, audience, lifetimeSeconds, purpose }: TokenToMint,
): Promise<string> {
  const { client, provider } = oidc;
  if (!client) throw new Error('a token is minted for no client');
  const resourceServer = new provider.ResourceServer(audience, {
    audience,
    scope: '',
    accessTokenFormat: 'jwt',
    accessTokenTTL: lifetimeSeconds,
    jwt: { sign: { alg: signing.alg as 'ES256', kid: signing.kid } },
  });
  const token = new provider.AccessToken({
    client,
    accountId: userId,
    grantId: sid,
    gty: 'authorization_code',
    resourceServer,
    expiresIn: lifetimeSeconds,
  });
  return setPurpose(token, purpose).save();
}
