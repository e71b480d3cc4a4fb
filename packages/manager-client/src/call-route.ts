import type { z } from 'zod';
import type { Route } from './contract/route.js';
import type { AccessTokenSource } from './access-token.js';
import { ManagerClientError } from './manager-client-error.js';
import { parseAnswer } from './parse-answer.js';
import { retrying, type Backoff } from './retry.js';
import type { Transport } from './transport.js';

/** What each method of the client takes last. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds for one attempt. */
  timeoutMs?: number | undefined;
  /** Further attempts after one that failed with what passes; only ever used where a repeat is safe. */
  maxRetries?: number | undefined;
}

/** For POSTs that the Manager answers once for each key. */
export interface KeyedCallOptions extends CallOptions {
  /** 22 to 128 characters of base64url; generated when absent. */
  idempotencyKey?: string | undefined;
}

export interface RouteInput<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  params?: z.input<P>;
  query?: z.input<Q>;
  body?: z.input<B>;
}

/** Calls one route of the contract. */
export type CallRoute = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  route: Route<P, Q, B, R>,
  input: RouteInput<P, Q, B>,
  options?: CallOptions & { keyed?: boolean; idempotencyKey?: string | undefined },
) => Promise<z.output<R>>;

export interface CallRouteContext {
  readonly baseUrl: string;
  readonly transport: Transport;
  readonly token: AccessTokenSource;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly backoff: Backoff;
  readonly maxRetryAfterMs: number;
}

const repeatable = new Set(['GET', 'DELETE']);

export function createCallRoute(context: CallRouteContext): CallRoute {
  return async (route, input, options = {}) => {
    const url = context.baseUrl + fillPath(route, input.params) + queryString(route, input.query);
    const body = route.body ? JSON.stringify(accepted('body', route.body, input.body)) : undefined;
    const key = options.keyed ? (options.idempotencyKey ?? newIdempotencyKey()) : undefined;
    const { signal } = options;

    const send = async (token: string) =>
      context.transport.send({
        method: route.method,
        url,
        route: route.path,
        headers: {
          accept: 'application/json, application/problem+json',
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body,
        timeoutMs: options.timeoutMs ?? context.timeoutMs,
        signal,
      });

    const attempt = async () => {
      if (signal?.aborted) throw new ManagerClientError('aborted', `${route.method} ${route.path}: aborted`);
      const token = await context.token.get(signal);
      let response = await send(token);
      if (response.status === 401) {
        context.token.invalidate(token);
        const fresh = await context.token.get(signal);
        if (fresh !== token) response = await send(fresh);
      }
      return parseAnswer(response, route);
    };

    const safe = repeatable.has(route.method) || key !== undefined;
    return retrying(attempt, {
      maxRetries: safe ? (options.maxRetries ?? context.maxRetries) : 0,
      backoff: context.backoff,
      maxRetryAfterMs: context.maxRetryAfterMs,
      signal,
    });
  };
}

function fillPath(route: Route, params: unknown): string {
  const values = route.params ? (accepted('params', route.params, params) as Record<string, string>) : {};
  return route.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = values[name] ?? '';
    // `.` and `..` as a whole segment would be taken out of the path, encoded or not.
    if (value === '' || value === '.' || value === '..') throw new TypeError(`params.${name}: must not be '${value}'`);
    return encodeURIComponent(value);
  });
}

function queryString(route: Route, query: unknown): string {
  if (!route.query) return '';
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(
    accepted('query', route.query, query ?? {}) as Record<string, string | number | undefined>,
  )) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

/** Misuse is a TypeError that names the field, and nothing is sent. */
function accepted(part: string, schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TypeError(`${[part, ...(issue?.path ?? [])].map(String).join('.')}: ${issue?.message}`);
}

function newIdempotencyKey(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
