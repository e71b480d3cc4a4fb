import { ManagerClientError } from './manager-client-error.js';
import type { Transport, TransportRequest } from './transport.js';

export interface FetchTransportOptions {
  fetch?: typeof globalThis.fetch | undefined;
  /** Bytes of an answer, after decompression; more is `invalid_response`. */
  maxResponseBytes?: number | undefined;
}

const defaultMaxResponseBytes = 16 * 1024 * 1024;

/** A Transport on `fetch`. */
export function createFetchTransport(options: FetchTransportOptions = {}): Transport {
  const { maxResponseBytes = defaultMaxResponseBytes } = options;
  return {
    async send(request) {
      const fetch = options.fetch ?? globalThis.fetch;
      const ending = new AbortController();
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        ending.abort();
      }, request.timeoutMs);
      timer.unref?.();
      // Not AbortSignal.any: it would stay with a signal that outlives many requests.
      const abort = () => ending.abort();
      request.signal?.addEventListener('abort', abort, { once: true });
      try {
        if (request.signal?.aborted) abort();
        const response = await fetch(request.url, {
          method: request.method,
          headers: request.headers,
          ...(request.body === undefined ? {} : { body: request.body }),
          redirect: 'manual',
          signal: ending.signal,
        });
        const body = await readBody(response, maxResponseBytes);
        return { status: response.status, header: (name) => response.headers.get(name), body };
      } catch (error) {
        throw translate(error, request, timedOut);
      } finally {
        clearTimeout(timer);
        request.signal?.removeEventListener('abort', abort);
      }
    },
  };
}

async function readBody(response: Response, maxBytes: number): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      void reader.cancel().catch(() => {});
      throw new ManagerClientError('invalid_response', `the answer is larger than ${maxBytes} bytes`, {
        status: response.status,
      });
    }
    text += decode(decoder, value, true, response.status);
  }
  return text + decode(decoder, new Uint8Array(), false, response.status);
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, stream: boolean, status: number): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new ManagerClientError('invalid_response', 'the answer is not UTF-8', { status });
  }
}

function translate(error: unknown, request: TransportRequest, timedOut: boolean): ManagerClientError {
  if (error instanceof ManagerClientError) return error;
  const where = `${request.method} ${new URL(request.url).pathname}`;
  if (request.signal?.aborted) return new ManagerClientError('aborted', `${where}: aborted`);
  if (timedOut) return new ManagerClientError('timeout', `${where}: no answer within ${request.timeoutMs} ms`);
  return new ManagerClientError('unreachable', `${where}: ${reasonOf(error)}`);
}

/** The system's error code: undici's own messages and causes may quote headers. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? `the connection failed (${code})` : 'the connection failed';
}
