import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { LoginRequest, PushedLogin } from './push-login.js';
import { calculatePKCECodeChallenge, randomPKCECodeVerifier, randomState } from 'openid-client';

/** What the MCP client says of itself: shown as unverified. */
export interface ReportedClient {
  readonly name: string | undefined;
  readonly address: string | undefined;
}

/** What is known of a login before it is pushed. */
export interface LoginSecrets extends LoginRequest {
  readonly codeVerifier: string;
}

/** A login that a person was sent to the browser for. */
export interface PendingLogin extends LoginSecrets {
  readonly authorizationUrl: string;
  readonly audience: string;
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
  readonly expiresAtMonotonic: number;
  /** The authentication under way: a second call with the same code gets its outcome, and nothing is sent twice. */
  working: { readonly code: string; readonly outcome: Promise<void> } | undefined;
  /** A code that the Manager refused: not sent again. */
  refusedCode: string | undefined;
  /** The redeemed code's token, until it is bound: a bind that got no answer is repeated with the same key. */
  redeemed: { readonly code: string; readonly accessToken: string; readonly idempotencyKey: string } | undefined;
}

export async function createLoginSecrets(client: ReportedClient): Promise<LoginSecrets> {
  const codeVerifier = randomPKCECodeVerifier();
  return {
    sessionId: randomBytes(16).toString('base64url'),
    state: randomState(),
    codeVerifier,
    codeChallenge: await calculatePKCECodeChallenge(codeVerifier),
    clientName: readableName(client.name),
    clientAddress: client.address,
  };
}

export function createPendingLogin(login: LoginSecrets, pushed: PushedLogin, clock: Clock): PendingLogin {
  return {
    ...login,
    authorizationUrl: pushed.authorizationUrl,
    audience: pushed.audience,
    expiresAt: new Date(clock.wall() + pushed.expiresInMs).toISOString(),
    expiresAtMonotonic: clock.monotonic() + pushed.expiresInMs,
    working: undefined,
    refusedCode: undefined,
    redeemed: undefined,
  };
}

/** What the client calls itself, as far as it can be shown on a page. */
function readableName(name: string | undefined): string | undefined {
  return (
    name
      ?.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '')
      .trim()
      .slice(0, 100) || undefined
  );
}
