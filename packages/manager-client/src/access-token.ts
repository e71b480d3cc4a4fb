import { z } from 'zod';
import type { Issuer } from './issuer.js';
import { ManagerClientError } from './manager-client-error.js';
import { parseJson } from './parse-answer.js';
import { parseRetryAfter } from './retry.js';
import type { Transport, TransportResponse } from './transport.js';

/** The application's own token for the Manager's API. */
export interface AccessTokenSource {
  /** One request at a time, shared by all who wait; a caller's abort does not end it for the others. */
  get(signal?: AbortSignal): Promise<string>;
  /** Forgets `token` if it is still the current one. */
  invalidate(token: string): void;
}

export interface ClientCredentialsOptions {
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly transport: Transport;
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

const tokenSchema = z.object({
  access_token: z.string().regex(/^[A-Za-z0-9._~+/=-]{1,16384}$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().min(1).max(86_400),
});

/** Gets tokens by client credentials (RFC 6749 4.4) and renews them at 80 % of their lifetime. */
export function createClientCredentialsToken(options: ClientCredentialsOptions): AccessTokenSource {
  const { now = () => performance.now() } = options;
  let current: { token: string; renewAt: number } | undefined;
  let inFlight: Promise<string> | undefined;

  async function request(): Promise<string> {
    const sentAt = now();
    const response = await options.transport.send({
      method: 'POST',
      url: options.issuer.tokenEndpoint,
      headers: {
        accept: 'application/json',
        authorization: clientSecretBasic(options.clientId, options.clientSecret),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: options.issuer.apiResource,
      }).toString(),
      timeoutMs: options.timeoutMs,
    });
    const answer = parseTokenAnswer(response);
    current = { token: answer.access_token, renewAt: sentAt + answer.expires_in * 800 };
    return answer.access_token;
  }

  return {
    async get(signal) {
      if (current && now() < current.renewAt) return current.token;
      inFlight ??= request().finally(() => (inFlight = undefined));
      return signal ? unlessAborted(inFlight, signal) : inFlight;
    },
    invalidate(token) {
      if (current?.token === token) current = undefined;
    },
  };
}

/** The Authorization header of client_secret_basic (RFC 6749 2.3.1): both parts form-encoded before they are joined. */
export function clientSecretBasic(clientId: string, clientSecret: string): string {
  const encode = (value: string) => new URLSearchParams({ v: value }).toString().slice(2);
  return `Basic ${btoa(`${encode(clientId)}:${encode(clientSecret)}`)}`;
}

function parseTokenAnswer(response: TransportResponse): z.output<typeof tokenSchema> {
  const answer = response.status === 200 ? tokenSchema.safeParse(readJson(response)) : undefined;
  if (answer?.success) return answer.data;
  const said = readJson(response);
  const code = typeof said === 'object' && said !== null && 'error' in said ? said.error : undefined;
  const reason = typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : 'the answer is not a token';
  throw new ManagerClientError('token_request_failed', `no token for the Manager's API: ${reason}`, {
    status: response.status,
    retryAfterMs: parseRetryAfter(response.header('retry-after'), Date.now()),
  });
}

function readJson(response: TransportResponse): unknown {
  try {
    return parseJson(response);
  } catch {
    return undefined;
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new ManagerClientError('aborted', 'aborted while waiting for a token'));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
