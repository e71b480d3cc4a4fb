import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { LoopbackListener } from './loopback-listener.js';
import type { ManagerAccess } from './manager-access.js';
import type { LoginRequest, PushedLogin } from './push-login.js';
import type { LoginRefresher } from './refresh-login.js';
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

/** What the person brings back: the code, or the JWT where the application takes it. */
export interface Proof {
  readonly kind: 'code' | 'token';
  readonly value: string;
}

/** What a proof gave: the tokens, and the Manager's API as this login reaches it. */
export interface RedeemedLogin {
  readonly proof: Proof;
  readonly accessToken: string;
  readonly access: ManagerAccess;
  readonly refresher: LoginRefresher;
  readonly idempotencyKey: string;
}

/** A login that a person was sent to the browser for. */
export interface PendingLogin extends LoginSecrets {
  readonly authorizationUrl: string;
  readonly audience: string;
  readonly takesPastedToken: boolean;
  /** Where the browser comes back to this process. */
  readonly loopback: LoopbackListener | undefined;
  /** Resolves when the login is bound, or cannot be any more. */
  readonly settled: Promise<void>;
  settle(): void;
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
  readonly expiresAtMonotonic: number;
  /** The authentication under way: a second call with the same code waits for it, and nothing is sent twice. */
  working: { readonly proof: Proof; readonly outcome: Promise<void> } | undefined;
  /** A code that the Manager refused: not sent again. */
  refusedCode: string | undefined;
  /** Until it is bound: a bind that got no answer is repeated with the same key. */
  redeemed: RedeemedLogin | undefined;
}

export async function createLoginSecrets(
  client: ReportedClient,
): Promise<Omit<LoginSecrets, 'redirectUri' | 'remember'>> {
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

export function createPendingLogin(
  login: LoginSecrets,
  pushed: PushedLogin,
  { clock, loopback }: { readonly clock: Clock; readonly loopback: LoopbackListener | undefined },
): PendingLogin {
  let settle = () => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));
  return {
    ...login,
    authorizationUrl: pushed.authorizationUrl,
    audience: pushed.audience,
    takesPastedToken: pushed.takesPastedToken,
    loopback,
    settled,
    settle,
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
