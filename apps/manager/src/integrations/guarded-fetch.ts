import { isIP } from 'node:net';
import { AddressRefused, createGuardedAgent, type LookupAll, mayConnectTo } from '@authsec/guarded-fetch';
import { errors, request } from 'undici';
import { FetchRefused, type GuardedFetch, type GuardedRequest } from '../ports/guarded-fetch.js';

export interface GuardedFetchOptions {
  /** Plain http as well. */
  readonly allowHttp: boolean;
  /** Private and loopback addresses as well. */
  readonly allowPrivateAddresses: boolean;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly lookup?: LookupAll;
}

/** The address that was judged is the one that is connected to: the judging is the connection's own name look-up. */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { allowHttp, allowPrivateAddresses, timeoutMs = 4_000, maxBytes = 512 * 1024, lookup } = options;
  const allow = (address: string) => mayConnectTo(address, { allowPrivate: allowPrivateAddresses });
  const agentOptions = { allowPrivateAddresses, connectTimeoutMs: timeoutMs, lookup };
  const shared = createGuardedAgent(agentOptions);

  async function fetchGuarded(target: string, init: GuardedRequest = {}): Promise<Response> {
    const url = parseUrl(target, allowHttp, allow);
    const { clientCertificate } = init;
    const dispatcher = clientCertificate ? createGuardedAgent({ ...agentOptions, clientCertificate }) : shared;
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
    try {
      const answer = await request(url, {
        dispatcher,
        method: init.method ?? 'GET',
        headers: { ...init.headers, 'accept-encoding': 'identity' },
        body: init.body ?? null,
        signal,
      });
      const refusal = refusalOf(answer.statusCode, answer.headers['content-encoding'], url);
      if (refusal) {
        answer.body.on('error', () => {}).destroy();
        throw refusal;
      }
      const bytes = await readLimited(answer, maxBytes, url);
      const empty = bytes.length === 0 || answer.statusCode === 204 || answer.statusCode === 205;
      return new Response(empty ? null : bytes, { status: answer.statusCode, headers: toHeaders(answer.headers) });
    } catch (error) {
      throw translate(error, url, { limit, asked: init.signal });
    } finally {
      if (dispatcher !== shared) await dispatcher.destroy();
    }
  }
  return Object.assign(fetchGuarded, { close: () => shared.destroy() });
}

type Allow = (address: string) => boolean;

function parseUrl(target: string, allowHttp: boolean, allow: Allow): URL {
  const url = URL.parse(target);
  if (!url || url.username || url.password) throw new FetchRefused('url', 'not a URL, or one with credentials');
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) {
    throw new FetchRefused('scheme', `${url.protocol}//${url.hostname}: must be https`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !allow(host)) throw refusedAddress(host);
  return url;
}

function refusedAddress(host: string): FetchRefused {
  return new FetchRefused('address', `${host} is, or has, an address that is not public`);
}

function refusalOf(status: number, encoding: unknown, { hostname }: URL): FetchRefused | undefined {
  if (status >= 300 && status < 400) {
    return new FetchRefused('redirect', `${hostname} answered with a redirect`, { status });
  }
  if (encoding !== undefined && encoding !== 'identity') {
    return new FetchRefused('encoding', `${hostname} compressed its answer although asked not to`, { status });
  }
  return undefined;
}

async function readLimited(
  { body, statusCode: status }: { readonly body: AsyncIterable<Buffer>; readonly statusCode: number },
  maxBytes: number,
  { hostname }: URL,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new FetchRefused('size', `${hostname} answered with more than ${maxBytes} bytes`, { status });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) result.append(name, one);
  }
  return result;
}

function translate(
  error: unknown,
  { hostname }: URL,
  { limit, asked }: { readonly limit: AbortSignal; readonly asked: AbortSignal | undefined },
): FetchRefused {
  if (error instanceof FetchRefused) return error;
  const cause = error instanceof AddressRefused ? error : error instanceof Error && error.cause;
  if (cause instanceof AddressRefused) return refusedAddress(cause.host);
  const timedOut =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError;
  if (limit.aborted || timedOut) return new FetchRefused('timeout', `${hostname} took too long`, { cause: error });
  if (asked?.aborted) {
    return new FetchRefused('aborted', `the answer of ${hostname} was not waited for`, { cause: error });
  }
  return new FetchRefused('unreachable', `${hostname} could not be reached, or its answer not be read`, {
    cause: error,
  });
}
