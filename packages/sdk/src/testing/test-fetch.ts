import {
  changeRoutes,
  manifestRoutes,
  serviceRoutes,
  sessionRoutes,
  type ManifestSummary,
} from '@authsec/manager-client';
import type { OAuthAnswer, TestLogins } from './test-logins.js';
import type { TestServices } from './test-services.js';
import type { TestSessions } from './test-sessions.js';

type Fetch = typeof globalThis.fetch;

/** The network between the SDK and a Manager in memory. */
export interface TestFetch {
  readonly fetch: Fetch;
  /** `away`: every connection breaks, those that wait too. `closed`: nothing is answered any more, and logouts are not waited for. */
  become(state: 'there' | 'away' | 'closed'): void;
  /** Requests that are being answered, without polls that wait for a change. */
  inFlight(): number;
}

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

export function createTestFetch(options: {
  readonly issuer: string;
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly logins: TestLogins;
  readonly sessions: TestSessions;
  readonly services: TestServices;
}): TestFetch {
  const { issuer, baseUrl, logins, sessions, services } = options;
  let state: 'there' | 'away' | 'closed' = 'there';
  let leaving = new AbortController();
  let inFlight = 0;

  async function answer(request: Asked): Promise<Response> {
    const { method, url, headers } = request;
    const address = `${url.origin}${url.pathname}`;
    if (address === `${issuer}/jwks`) return json(200, logins.jwks);
    if (address === `${issuer}/go` || address === `${issuer}/token`) {
      if (!isClient(headers.get('authorization'))) return json(401, { error: 'invalid_client' });
      const parameters = new URLSearchParams(request.body);
      return oauth(address.endsWith('/go') ? logins.push(parameters) : await logins.token(parameters));
    }
    if (!address.startsWith(`${baseUrl}/v1/`)) return problem(404, 'not_found');
    if (!logins.isApiToken(headers.get('authorization')?.slice('Bearer '.length) ?? ''))
      return problem(401, 'invalid_token');
    const path = url.pathname.slice(new URL(baseUrl).pathname.replace(/\/$/, '').length);
    if (method === 'GET' && path === changeRoutes.poll.path) return poll(request);
    if (method === 'POST' && path === sessionRoutes.bind.path) return bind(request);
    if (method === 'POST' && path === sessionRoutes.renew.path) return renew(request);
    if (method === 'POST' && path === serviceRoutes.issueCredential.path) return issue(request);
    if (method === 'POST' && path === serviceRoutes.connect.path) return connect(request);
    const [, leaseId, renewing] = /^\/v1\/service-leases\/([^/]+)(\/renew)?$/.exec(path) ?? [];
    if (method === 'POST' && leaseId && renewing) return granted(200, services.renewLease(leaseId));
    if (method === 'DELETE' && leaseId && !renewing) {
      return services.endLease(leaseId) ? empty() : problem(404, 'not_found');
    }
    if (method === 'DELETE' && path.startsWith('/v1/sessions/')) return revoke(path, url);
    if (method === 'PUT' && path.startsWith('/v1/manifests/')) return publish(path, request);
    return problem(404, 'not_found');
  }

  /** Each part is form-encoded, and how much of it is up to the client (RFC 6749 2.3.1). */
  function isClient(authorization: string | null): boolean {
    const pair = Buffer.from(authorization?.slice('Basic '.length) ?? '', 'base64').toString();
    const [id, secret] = pair.split(':').map((part) => new URLSearchParams(`part=${part}`).get('part'));
    return id === options.clientId && secret === options.clientSecret;
  }

  async function poll({ url, signal }: Asked): Promise<Response> {
    const query = changeRoutes.poll.query?.safeParse(Object.fromEntries(url.searchParams));
    if (!query?.success) return problem(400, 'invalid_request');
    const { after, wait } = query.data;
    inFlight--;
    const ended = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
    const changes = await sessions.changes(after, wait * 1_000, ended).finally(() => inFlight++);
    if (changes) return json(200, changes);
    if (state === 'away' && !signal?.aborted) throw unreachable();
    return never(signal);
  }

  function bind({ body, headers }: Asked): Response {
    const asked = sessionRoutes.bind.body?.safeParse(parse(body));
    const key = headers.get('idempotency-key');
    if (!asked?.success || key === null) return problem(400, 'invalid_request');
    const session = sessions.find(sidOf(asked.data.access_token));
    if (!session) return problem(400, 'person_token_invalid');
    if (session.mcpSession !== asked.data.mcp_session) return problem(409, 'token_not_for_this_session');
    if (session.bindKey !== undefined && session.bindKey !== key) return problem(409, 'token_already_used');
    const view = sessions.view(session.sid);
    if (view.status === 'ended') return problem(409, 'session_ended');
    session.bindKey = key;
    return json(201, view);
  }

  function renew({ body }: Asked): Response {
    const asked = sessionRoutes.renew.body?.safeParse(parse(body));
    if (!asked?.success) return problem(400, 'invalid_request');
    return json(200, { sessions: asked.data.sids.map((sid) => sessions.view(sid)) });
  }

  /** Takes note of nothing: the rules that count are those of the guard. */
  function publish(path: string, { body }: Asked): Response {
    const tools = manifestRoutes.publish.body?.safeParse(parse(body)).data?.tools;
    if (!tools) return problem(400, 'invalid_request');
    const now = new Date().toISOString();
    const summary: ManifestSummary = {
      digest: path.slice('/v1/manifests/'.length),
      client_id: options.clientId,
      sequence: '1',
      current: true,
      tool_count: tools.length,
      created_at: now,
      last_used_at: now,
      previous_digest: null,
      changes: null,
    };
    return json(201, summary);
  }

  function revoke(path: string, url: URL): Response {
    const session = sessions.find(decodeURIComponent(path.slice('/v1/sessions/'.length)));
    if (!session) return problem(404, 'not_found');
    sessions.end(session, url.searchParams.get('reason') === 'logged_out' ? 'logged_out' : 'revoked');
    return empty();
  }

  function issue({ body }: Asked): Response {
    const asked = serviceRoutes.issueCredential.body?.safeParse(parse(body));
    if (!asked?.success) return problem(400, 'invalid_request');
    return granted(201, services.issue(asked.data));
  }

  function connect({ body }: Asked): Response {
    const asked = serviceRoutes.connect.body?.safeParse(parse(body));
    if (!asked?.success) return problem(400, 'invalid_request');
    return json(201, { connect_url: `${issuer}/connect/${asked.data.service}`, expires_in: 600 });
  }

  const fetch: Fetch = async (input, init = {}) => {
    const signal = init.signal ?? undefined;
    signal?.throwIfAborted();
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init.method ?? 'GET';
    if (state === 'away') throw unreachable();
    if (state === 'closed') return method === 'DELETE' ? problem(404, 'not_found') : never(signal);
    inFlight++;
    try {
      const body = typeof init.body === 'string' ? init.body : '';
      return await answer({ method, url, headers: new Headers(init.headers), body, signal });
    } finally {
      inFlight--;
    }
  };

  return {
    fetch,
    become(next) {
      state = next;
      if (next === 'there') return;
      leaving.abort();
      leaving = new AbortController();
    },
    inFlight: () => inFlight,
  };
}

function unreachable(): TypeError {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  return new TypeError('fetch failed', { cause });
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function empty(): Response {
  return new Response(null, { status: 204 });
}

function sidOf(token: string): string {
  const claims = parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const sid = typeof claims === 'object' && claims !== null && 'sid' in claims ? claims.sid : undefined;
  return typeof sid === 'string' ? sid : '';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function oauth({ status, body }: OAuthAnswer): Response {
  return json(status, body);
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

function granted(status: number, answer: object | { readonly status: number; readonly code: string }): Response {
  return 'code' in answer ? problem(answer.status, answer.code) : json(status, answer);
}

function problem(status: number, code: string): Response {
  const body = { type: 'about:blank', title: code, status, code, request_id: 'test' };
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json' } });
}
