import type { IssuedCredential } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { AuthSecError } from '../authsec-error.js';
import type { HeldCredential } from './held-credential.js';
import { untraced } from '../telemetry/open-telemetry.js';
import { putCredential } from './put-credential.js';
import { readRequest, type ToolRequest } from './read-request.js';
import { redactResponse } from './redact-response.js';
import type { Redactor } from './redactor.js';
import { parseServiceBase, resolveRedirect, type ServiceBase } from './service-url.js';

/** As `fetch`, bound to one service: relative URLs are joined below its base URL, and nothing else is asked. */
export type ServiceFetch = typeof globalThis.fetch;

export interface ServiceFetchOptions {
  readonly service: string;
  /** The credential to use now: throws where there is none any more. */
  readonly current: () => Promise<HeldCredential>;
  /** The one before a rotation, which is current from then on; undefined where there is none. */
  readonly previous: () => Promise<HeldCredential | undefined>;
  /** Aborts when the call is over. */
  readonly over: AbortSignal;
  readonly log: Logger;
}

const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function createServiceFetch(options: ServiceFetchOptions): ServiceFetch {
  const { service, log } = options;
  return async (input, init) => {
    const held = await options.current();
    const base = baseOf(service, held.issued);
    const request = await readRequest(base, input, init);
    if (request.dropped.length > 0) {
      log.warn(`${service}: headers that a tool cannot give were left out`, { headers: request.dropped.join(', ') });
    }
    const answer = await follow(options, base, held, request);
    if (answer.status !== 401 || request.body instanceof ReadableStream) return answer;
    const previous = await options.previous();
    // What was set up anew meanwhile is not asked where the service was before.
    if (!previous || previous.issued.service.base_url !== held.issued.service.base_url) return answer;
    await answer.body?.cancel();
    return follow(options, base, previous, request);
  };
}

function baseOf(
  service: string,
  { service: { base_url: baseUrl, allow_private_addresses: isPrivate } }: IssuedCredential,
) {
  if (baseUrl === null) {
    throw new TypeError(
      `${service} has no base URL: services.credential(${JSON.stringify(service)}) has what its driver needs`,
    );
  }
  const base = parseServiceBase(service, baseUrl);
  if (base.url.protocol === 'http:' && !isPrivate) {
    throw new AuthSecError(
      'service_host_refused',
      `${service}: its base URL is http:, which is for private addresses only`,
    );
  }
  return base;
}

/** Redirects are followed as long as they stay with the service. */
async function follow(
  options: ServiceFetchOptions,
  base: ServiceBase,
  held: HeldCredential,
  asked: ToolRequest,
): Promise<Response> {
  const { service } = options;
  let request = asked;
  for (let count = 0; ; count++) {
    const answer = await send(options, held, request, count > 0);
    const location = answer.headers.get('location');
    if (!redirects.has(answer.status) || location === null || request.redirect === 'manual') return answer;
    await answer.body?.cancel();
    if (request.redirect === 'error') throw new TypeError(`${service} answered with a redirect`);
    if (count === maxRedirects) throw new AuthSecError('service_unavailable', `${service} redirects again and again`);
    request = redirected(request, answer.status, resolveRedirect(base, request.url, location));
  }
}

/** As fetch does: what was posted is asked for with GET after 301 and 302, and after 303 always. */
function redirected(request: ToolRequest, status: number, url: URL): ToolRequest {
  const { method, body } = request;
  const toGet = status === 303 ? method !== 'HEAD' : status <= 302 && method === 'POST';
  if (!toGet) {
    if (body instanceof ReadableStream) throw new TypeError('a body that is a stream cannot be sent again');
    return { ...request, url };
  }
  const headers = new Headers(request.headers);
  for (const name of ['content-type', 'content-encoding', 'content-language', 'content-location']) headers.delete(name);
  return { ...request, url, method: 'GET', headers, body: undefined };
}

async function send(
  options: ServiceFetchOptions,
  { issued, redactor, network }: HeldCredential,
  request: ToolRequest,
  isRedirected: boolean,
): Promise<Response> {
  const { service, over } = options;
  const { method, body, url } = request;
  const signal = request.signal ? AbortSignal.any([request.signal, over]) : over;
  const translate = (error: unknown): unknown => {
    if (request.signal?.aborted) return request.signal.reason;
    return over.aborted ? over.reason : failureOf(service, url, error, redactor);
  };
  const withCredential = putCredential(issued.credential, request);
  const { allow_private_addresses: allowPrivateAddresses } = issued.service;
  let answer: Response;
  try {
    if (signal.aborted) throw signal.reason;
    const ask = () => network.send({ ...withCredential, method, body, signal, allowPrivateAddresses });
    answer = await (issued.credential.type === 'query' ? untraced(ask) : ask());
  } catch (error) {
    throw translate(error);
  }
  return redactResponse(answer, { service, url, method, isRedirected, redactor, translate });
}

/** What went wrong on the way, without what undici says of the request. */
function failureOf(service: string, { host }: URL, error: unknown, redactor: Redactor | undefined): AuthSecError {
  const text = (value: string): string => redactor?.text(value) ?? value;
  let cause = error as { name?: unknown; message?: unknown; code?: unknown; cause?: unknown } | null | undefined;
  for (let depth = 0; typeof cause === 'object' && cause !== null && depth < 5; depth++) {
    const { name, message, code } = cause;
    if (name === 'AddressRefused')
      return new AuthSecError('service_host_refused', text(`${service}: ${String(message)}`));
    if (typeof code === 'string') {
      return new AuthSecError('service_unavailable', text(`${service}: ${host} could not be asked (${code})`));
    }
    cause = cause.cause as typeof cause;
  }
  return new AuthSecError('service_unavailable', text(`${service}: ${host} could not be asked`));
}
