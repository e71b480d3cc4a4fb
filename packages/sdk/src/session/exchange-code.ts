import { ManagerClientError, type Issuer, type Transport } from '@authsec/manager-client';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  ClientSecretBasic,
  Configuration,
  customFetch,
  ResponseBodyError,
} from 'openid-client';
import { AuthSecError, type LoginErrorCode } from '../authsec-error.js';
import { completionUrl } from './push-login.js';
import { createTransportFetch } from './transport-fetch.js';

/** Redeems a code for the access token; sent exactly once, since a replayed code ends the whole grant. */
export type ExchangeCode = (login: { code: string; codeVerifier: string; state: string }) => Promise<string>;

export interface ExchangeCodeOptions {
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly transport: Transport;
  readonly timeoutMs: number;
}

export function createExchangeCode(options: ExchangeCodeOptions): ExchangeCode {
  const { issuer, clientId, clientSecret, transport, timeoutMs } = options;
  const server = {
    issuer: issuer.issuer,
    token_endpoint: issuer.tokenEndpoint,
    authorization_response_iss_parameter_supported: true,
  };
  const configuration = new Configuration(server, clientId, undefined, ClientSecretBasic(clientSecret));
  configuration[customFetch] = createTransportFetch(transport, timeoutMs);
  // parseIssuer has decided where http:// is allowed.
  if (issuer.issuer.startsWith('http:')) allowInsecureRequests(configuration);

  return async ({ code, codeVerifier, state }) => {
    const answered = new URL(completionUrl(issuer));
    answered.search = new URLSearchParams({ code, state, iss: issuer.issuer }).toString();
    try {
      const checks = { pkceCodeVerifier: codeVerifier, expectedState: state };
      return (await authorizationCodeGrant(configuration, answered, checks)).access_token;
    } catch (error) {
      throw translate(error);
    }
  };
}

function translate(error: unknown): AuthSecError {
  if (error instanceof ResponseBodyError) {
    const code = codeFor(error);
    return new AuthSecError(code, `the code was not redeemed: ${error.error.slice(0, 64)}`);
  }
  // Causes of openid-client may hold the answer, and with it tokens.
  const cause = error instanceof Error && error.cause instanceof ManagerClientError ? error.cause : error;
  const reason = cause instanceof ManagerClientError ? cause.message : 'the answer is not a token';
  return new AuthSecError('manager_unavailable', `the code was not redeemed: ${reason}`);
}

function codeFor(error: ResponseBodyError): LoginErrorCode {
  if (error.status === 429) return 'too_many_attempts';
  if (error.status >= 500) return 'manager_unavailable';
  return error.error === 'invalid_grant' ? 'code_refused' : 'login_refused';
}
