import { ManagerClientError, type Issuer, type Transport } from '@authsec/manager-client';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  ClientSecretBasic,
  Configuration,
  customFetch,
  None,
  refreshTokenGrant,
  ResponseBodyError,
  type TokenEndpointResponse,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { AuthSecError, type LoginErrorCode } from '../authsec-error.js';
import { createTransportFetch } from './transport-fetch.js';

/** What a login gives. */
export interface LoginTokens {
  /** The person's, to be bound. */
  readonly accessToken: string;
  /** Of a public client: what reads, renews and ends this session at the Manager, and how it is had anew. */
  readonly session?: { readonly token: string; readonly expiresInMs: number };
  readonly refreshToken?: string | undefined;
}

export interface TokenEndpoint {
  /** Redeems a code; sent exactly once, since a replayed code ends the whole grant. */
  exchangeCode(login: { code: string; codeVerifier: string; state: string; redirectUri: string }): Promise<LoginTokens>;
  /**
   * RFC 6749 section 6; `code_refused` when the login is over. The token is spent with it: only the same `attempt` (22
   * random characters or more) may ask again, where the answer was lost.
   */
  refresh(refreshToken: string, attempt: string): Promise<LoginTokens>;
}

export interface TokenEndpointOptions {
  readonly issuer: Issuer;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly transport: Transport;
  readonly timeoutMs: number;
}

export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const { issuer, clientId, clientSecret, transport, timeoutMs } = options;
  const server = {
    issuer: issuer.issuer,
    token_endpoint: issuer.tokenEndpoint,
    authorization_response_iss_parameter_supported: true,
  };
  const authentication = clientSecret === undefined ? None() : ClientSecretBasic(clientSecret);
  const configuration = new Configuration(server, clientId, undefined, authentication);
  configuration[customFetch] = createTransportFetch(transport, timeoutMs);
  // parseIssuer has decided where http:// is allowed.
  if (issuer.issuer.startsWith('http:')) allowInsecureRequests(configuration);

  return {
    async exchangeCode({ code, codeVerifier, state, redirectUri }) {
      const answered = new URL(redirectUri);
      answered.search = new URLSearchParams({ code, state, iss: issuer.issuer }).toString();
      const checks = { pkceCodeVerifier: codeVerifier, expectedState: state };
      return readTokens(authorizationCodeGrant(configuration, answered, checks), 'the code was not redeemed');
    },
    refresh: (refreshToken, attempt) =>
      readTokens(
        refreshTokenGrant(configuration, refreshToken, { refresh_attempt: attempt }),
        'the login was not refreshed',
      ),
  };
}

async function readTokens(answer: Promise<TokenEndpointResponse>, failed: string): Promise<LoginTokens> {
  const tokens = await answer.catch((error: unknown) => {
    throw translate(error, failed);
  });
  const { session_token: token, session_token_expires_in: seconds } = tokens;
  const session =
    typeof token === 'string' && typeof seconds === 'number' && seconds > 0
      ? { token, expiresInMs: seconds * 1000 }
      : undefined;
  return {
    accessToken: tokens.access_token,
    ...(session && { session }),
    ...(tokens.refresh_token !== undefined && { refreshToken: tokens.refresh_token }),
  };
}

function translate(error: unknown, failed: string): AuthSecError {
  if (error instanceof ResponseBodyError) {
    return new AuthSecError(codeFor(error), `${failed}: ${error.error.slice(0, 64)}`);
  }
  // How a client that does not prove who it is, or may not any more, is refused (RFC 6749 section 5.2).
  if (
    error instanceof WWWAuthenticateChallengeError &&
    error.cause.some(({ parameters }) => parameters.error === 'invalid_client')
  ) {
    return new AuthSecError('login_refused', `${failed}: invalid_client`);
  }
  // Causes of openid-client may hold the answer, and with it tokens.
  const cause = error instanceof Error && error.cause instanceof ManagerClientError ? error.cause : error;
  const reason = cause instanceof ManagerClientError ? cause.message : 'the answer is not a token';
  return new AuthSecError('manager_unavailable', `${failed}: ${reason}`);
}

function codeFor(error: ResponseBodyError): LoginErrorCode {
  if (error.status === 429) return 'too_many_attempts';
  if (error.status >= 500) return 'manager_unavailable';
  return error.error === 'invalid_grant' ? 'code_refused' : 'login_refused';
}
