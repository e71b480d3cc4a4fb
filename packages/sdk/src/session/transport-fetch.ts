import type { Transport } from '@authsec/manager-client';

interface FetchInit {
  readonly method?: string;
  readonly headers?: Headers | Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

const bodyless = new Set([101, 204, 205, 304]);

/** `fetch` as jose and openid-client call it, with the limits of the Transport: time, size, no redirects. */
export function createTransportFetch(transport: Transport, timeoutMs: number) {
  return async (url: string, init: FetchInit): Promise<Response> => {
    const { signal } = init;
    const answer = await transport.send({
      method: init.method === 'POST' ? 'POST' : 'GET',
      url,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: textOf(init.body),
      timeoutMs,
      signal: signal ?? undefined,
    });
    const headers = new Headers();
    for (const name of ['content-type', 'www-authenticate']) {
      const value = answer.header(name);
      if (value !== null) headers.set(name, value);
    }
    return new Response(bodyless.has(answer.status) ? null : answer.body, { status: answer.status, headers });
  };
}

function textOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a body that is not text');
}
