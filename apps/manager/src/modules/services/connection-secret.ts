import type { SecretValue } from '../../ports/secret-store.js';
import type { ServiceTokens } from './token-client.js';

/** The tokens of a person's own account at a service, as the secret store keeps them. Times are epoch milliseconds. */
export interface ConnectionSecret {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly scope: string | undefined;
  /** Undefined where the service did not say: then until it is refused. */
  readonly expiresAt: number | undefined;
  /** From then on it is refreshed before it is used. */
  readonly refreshAt: number | undefined;
}

/** The refresh token stays the one before where no new one came (RFC 6749 section 6). */
export function toConnectionSecret(tokens: ServiceTokens, at: number, before?: ConnectionSecret): ConnectionSecret {
  const { accessToken, refreshToken = before?.refreshToken, lifetimeSeconds, scope = before?.scope } = tokens;
  if (lifetimeSeconds === undefined) {
    return { accessToken, refreshToken, scope, expiresAt: undefined, refreshAt: undefined };
  }
  const expiresAt = at + lifetimeSeconds * 1_000;
  const refreshAt = expiresAt - Math.min(30, lifetimeSeconds / 4) * 1_000;
  return { accessToken, refreshToken, scope, expiresAt, refreshAt };
}

export function toSecretValue({
  accessToken,
  refreshToken,
  scope,
  expiresAt,
  refreshAt,
}: ConnectionSecret): SecretValue {
  return {
    access_token: accessToken,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(scope !== undefined && { scope }),
    ...(expiresAt !== undefined && { expires_at: String(expiresAt) }),
    ...(refreshAt !== undefined && { refresh_at: String(refreshAt) }),
  };
}

/** Undefined for what is no secret of a connection. */
export function fromSecretValue(value: SecretValue): ConnectionSecret | undefined {
  const time = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const { access_token: accessToken, refresh_token: refreshToken, scope } = value;
  const [expiresAt, refreshAt] = [time(value['expires_at']), time(value['refresh_at'])];
  if (accessToken === undefined || Number.isNaN(expiresAt) || Number.isNaN(refreshAt)) return undefined;
  return { accessToken, refreshToken, scope, expiresAt, refreshAt };
}
