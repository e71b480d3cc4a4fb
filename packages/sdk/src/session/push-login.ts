import { clientSecretBasic, ManagerClientError, type Issuer, type Transport } from '@authsec/manager-client';
import { AuthSecError } from '../authsec-error.js';

export interface LoginRequest {
  readonly sessionId: string;
  readonly state: string;
  readonly codeChallenge: string;
  readonly clientName: string | undefined;
  readonly clientAddress: string | undefined;
  /** Where the login ends: the completion page, or a loopback address. */
  readonly redirectUri: string;
  /** The login is to outlive the process. */
  readonly remember: boolean;
}

export interface PushedLogin {
  /** `<issuer>/go/<id>`: looking at it uses nothing up. */
  readonly authorizationUrl: string;
  readonly expiresInMs: number;
  /** `aud` of the login's access token: the application's resource, as the Manager has it. */
  readonly audience: string;
  /** The last page also offers the token itself, to be pasted. */
  readonly takesPastedToken: boolean;
}

/** Leaves a login request (RFC 9126's shape) at the Manager for ten minutes. */
export type PushLogin = (login: LoginRequest, signal: AbortSignal) => Promise<PushedLogin>;

export interface PushLoginOptions {
  readonly issuer: Issuer;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly transport: Transport;
  readonly timeoutMs: number;
}

const maxLifetimeSeconds = 600;

export function createPushLogin(options: PushLoginOptions): PushLogin {
  const { issuer, clientId, clientSecret, transport, timeoutMs } = options;
  return async (login, signal) => {
    const body = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      response_mode: login.redirectUri === completionUrl(issuer) ? 'oob' : 'query',
      redirect_uri: login.redirectUri,
      code_challenge: login.codeChallenge,
      code_challenge_method: 'S256',
      state: login.state,
      mcp_session: login.sessionId,
      ...(login.clientName ? { client_name: login.clientName } : {}),
      ...(login.clientAddress ? { client_address: login.clientAddress } : {}),
      ...(login.remember ? { remember_login: 'true' } : {}),
    });
    const response = await transport
      .send({
        method: 'POST',
        url: `${issuer.issuer}/go`,
        headers: {
          accept: 'application/json',
          ...(clientSecret === undefined ? {} : { authorization: clientSecretBasic(clientId, clientSecret) }),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: body.toString(),
        timeoutMs,
        signal,
      })
      .catch((cause: unknown) => {
        throw new AuthSecError('manager_unavailable', `the login could not be pushed: ${codeOf(cause)}`, { cause });
      });
    const answer = readObject(response.body, response.header('content-type'));
    if (response.status === 201 && answer) return readPushedLogin(answer, issuer);
    throw refusal(response.status, answer);
  };
}

/** Where the provider ends a page login; shown by it, never visited. */
export function completionUrl(issuer: Issuer): string {
  return `${issuer.issuer}/completion`;
}

function readPushedLogin(answer: Record<string, unknown>, issuer: Issuer): PushedLogin {
  const { authorization_url: url, expires_in: seconds, audience } = answer;
  const prefix = `${issuer.issuer}/go/`;
  const ours =
    typeof url === 'string' && url.startsWith(prefix) && /^[A-Za-z0-9._~-]{1,200}$/.test(url.slice(prefix.length));
  if (!ours || typeof seconds !== 'number' || !(seconds > 0) || typeof audience !== 'string' || audience === '') {
    throw new AuthSecError('manager_unavailable', 'the answer to the pushed login is not one');
  }
  return {
    authorizationUrl: url,
    expiresInMs: Math.min(seconds, maxLifetimeSeconds) * 1000,
    audience,
    takesPastedToken: answer['paste_token'] === true,
  };
}

function refusal(status: number, answer: Record<string, unknown> | undefined): AuthSecError {
  const said = answer?.['error'] ?? answer?.['code'];
  const reason = typeof said === 'string' && /^[a-z_]{1,64}$/.test(said) ? said : `status ${status}`;
  if (status === 429) return new AuthSecError('too_many_attempts', `the Manager refused the pushed login: ${reason}`);
  const refused = status >= 400 && status < 500 && answer !== undefined;
  return new AuthSecError(
    refused ? 'login_refused' : 'manager_unavailable',
    `the Manager refused the pushed login: ${reason}`,
  );
}

function readObject(body: string, contentType: string | null): Record<string, unknown> | undefined {
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType ?? '')) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return error instanceof ManagerClientError ? error.message : 'unexpected failure';
}
