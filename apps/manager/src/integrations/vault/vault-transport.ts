import { Agent, request } from 'undici';

export interface TransportOptions {
  /** PEM; instead of the system's authorities. */
  readonly certificateAuthority?: string | undefined;
  readonly requestTimeoutMs: number;
}

/** What node-vault hands to what it was told is `request-promise`. */
interface TransportRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Milliseconds. */
  readonly timeout?: number;
}

export interface TransportAnswer {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

export interface VaultTransport {
  send(options: TransportRequest): Promise<TransportAnswer>;
  close(): Promise<void>;
}

const maxAnswerBytes = 1024 * 1024;

/**
 * In the place of node-vault's axios, which follows redirects and uses proxies with the token on the request, and whose
 * timeout is not one of the whole answer.
 */
export function createVaultTransport({ certificateAuthority, requestTimeoutMs }: TransportOptions): VaultTransport {
  const agent = new Agent({
    connect: { timeout: requestTimeoutMs, ...(certificateAuthority && { ca: certificateAuthority }) },
    connections: 64,
    maxResponseSize: maxAnswerBytes,
    pipelining: 1,
  });
  return {
    async send({ method, uri, headers, json, timeout = requestTimeoutMs }) {
      const answer = await request(uri, {
        method: method as 'GET',
        dispatcher: agent,
        headers: { ...headers, 'Content-Type': 'application/json', 'X-Vault-Request': 'true' },
        ...(json !== undefined && { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(timeout),
      });
      return {
        statusCode: answer.statusCode,
        body: parse(await answer.body.text()),
        request: { path: new URL(uri).pathname },
      };
    },
    close: () => agent.destroy(),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
