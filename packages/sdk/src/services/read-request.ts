import { resolveServiceUrl, type ServiceBase } from './service-url.js';
import { ownHeaders } from './put-credential.js';

/** What a tool asked for by `fetch`'s arguments, bound to a service. */
export interface ToolRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** Whole where it can be sent again. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | undefined;
  readonly redirect: Request['redirect'];
  readonly signal: AbortSignal | undefined;
  /** Headers that were not the tool's to give. */
  readonly dropped: readonly string[];
}

/** Throws `service_host_refused`, and what `new Request` throws for arguments that are none. */
export async function readRequest(
  base: ServiceBase,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<ToolRequest> {
  const given = input instanceof Request ? input : undefined;
  const url = resolveServiceUrl(base, input instanceof Request ? input.url : input.toString());
  const streamed = isStream(init?.body);
  const request = given ? new Request(given, init) : new Request(url, { ...init, ...(streamed && { duplex: 'half' }) });
  const { headers, dropped } = ownHeaders(request.headers);
  const signal = init?.signal ?? given?.signal;
  return {
    url,
    method: request.method,
    headers,
    body: streamed ? (request.body ?? undefined) : await wholeBody(request),
    redirect: request.redirect,
    signal,
    dropped,
  };
}

async function wholeBody(request: Request): Promise<Uint8Array | undefined> {
  return request.body ? new Uint8Array(await request.arrayBuffer()) : undefined;
}

/** What `fetch` takes and reads only as it is sent: a stream, or anything that is iterated. */
function isStream(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  if (body instanceof Uint8Array || body instanceof URLSearchParams || body instanceof FormData) return false;
  return body instanceof ReadableStream || Symbol.asyncIterator in body;
}
