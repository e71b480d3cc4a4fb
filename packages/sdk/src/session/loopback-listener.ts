import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthSecError } from '../authsec-error.js';
import { loopbackHeaders, type LoopbackPage, renderLoopbackPage } from './loopback-page.js';
import { sameSecret } from './same-secret.js';

/** What the authorization server sent the browser back with. */
export type LoopbackAnswer =
  { readonly kind: 'code'; readonly code: string } | { readonly kind: 'error'; readonly error: string };

export interface LoopbackOptions {
  /** Exactly as the authorization server writes it (RFC 9207). */
  readonly issuer: string;
  /** Of the one login that may end here: the random part of the request that is answered. */
  readonly state: string;
  /** Called once; the page tells what it resolves to. */
  readonly onAnswer: (answer: LoopbackAnswer) => Promise<Exclude<LoopbackPage, 'unknown'>>;
}

export interface LoopbackListener {
  /** The one address that answers (RFC 8252 section 7.3); only its port is not the registered one. */
  readonly redirectUri: string;
  /** Takes nothing more; an answer that is being given is finished. */
  close(): void;
}

const host = '127.0.0.1';
/** As it is registered at the Manager. */
const path = '/callback';

/** Listens for the end of one login, on this machine only and until one valid answer came. Does not keep the process alive. */
export async function openLoopback(options: LoopbackOptions): Promise<LoopbackListener> {
  let authority = '';
  let answered = false;
  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000 });
  server.maxConnections = 32;
  server.on('request', (request, response) => void handle(request, response));
  const port = await listen(server);
  authority = `${host}:${port}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = answered ? undefined : readAnswer(request, { ...options, authority });
    if (!answer) return send(response, 'unknown');
    answered = true;
    const page = await options.onAnswer(answer).catch(() => 'failed' as const);
    send(response, page);
    close();
  }

  function close(): void {
    answered = true;
    server.close();
    server.closeIdleConnections();
  }

  return { redirectUri: `http://${authority}${path}`, close };
}

/** Undefined for every request that is not the redirect of this login: another name in Host, path, method, state or issuer. */
function readAnswer(
  request: IncomingMessage,
  { authority, issuer, state }: { authority: string; issuer: string; state: string },
): LoopbackAnswer | undefined {
  if (request.method !== 'GET' || request.headers.host !== authority) return undefined;
  const [pathname, search = ''] = (request.url ?? '').split('?', 2);
  if (pathname !== path) return undefined;
  const parameters = new URLSearchParams(search);
  const one = (name: string) => {
    const values = parameters.getAll(name);
    return values.length === 1 ? values[0] : undefined;
  };
  if (!sameSecret(one('state') ?? '', state) || one('iss') !== issuer) return undefined;
  const [code, error] = [one('code'), one('error')];
  if (code !== undefined && error === undefined && /^[\u0021-\u007e]{1,2048}$/.test(code))
    return { kind: 'code', code };
  if (error !== undefined && code === undefined && /^[a-z_]{1,64}$/.test(error)) return { kind: 'error', error };
  return undefined;
}

function send(response: ServerResponse, page: LoopbackPage): void {
  const { status, body } = renderLoopbackPage(page);
  response.writeHead(status, loopbackHeaders).end(body);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new AuthSecError('internal_error', 'no port of this machine can be listened at', { cause }));
    });
    server.listen({ host, port: 0, exclusive: true }, () => {
      server.unref();
      resolve((server.address() as AddressInfo).port);
    });
  });
}
