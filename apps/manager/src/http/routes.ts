import { type Route, routes } from '@authsec/manager-client/contract';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { Caller } from '../authorization/caller.js';
import type { Gate } from '../authorization/create-gate.js';
import { AppError, type FieldError } from '../errors/app-error.js';
import type { Clock } from '../ports/clock.js';
import { noteFacts } from '../ports/current-request.js';
import type { RateLimit } from '../ports/rate-limits.js';
import type { BoundRoute } from './handle.js';
import { jsonBody } from './middleware/json-body.js';
import { addressOf } from './middleware/rate-limit.js';
import { requestIdOf } from './middleware/request-id.js';

export interface ApiOptions {
  /** Who may: throws AppError where the holder of the token may not. */
  readonly gate: Gate;
  /** Counts tokens that were refused, by address. */
  readonly refusals: RateLimit;
  readonly clock: Clock;
}

const nothing = z.strictObject({});

/** The whole API: every route of the contract with its handler, behind the gate. Throws where the two do not match. */
export function createApi(bound: readonly BoundRoute[], options: ApiOptions): Router {
  assertComplete(bound);
  const router = Router({ caseSensitive: true, strict: true });
  for (const entry of bound) {
    const method = entry.route.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
    router[method](entry.route.path, createHandler(entry, options));
  }
  for (const path of new Set(bound.map((entry) => entry.route.path))) {
    const allowed = bound.filter((entry) => entry.route.path === path).map((entry) => entry.route.method);
    router.all(path, (request) => {
      throw new AppError('method_not_allowed', `${request.method} is not one of ${allowed.join(', ')}`, {
        headers: { Allow: allowed.join(', ') },
      });
    });
  }
  return router;
}

/** Every route of the contract. */
export function contractRoutes(): Route[] {
  return Object.values(routes).flatMap((group): Route[] => Object.values(group));
}

function assertComplete(bound: readonly BoundRoute[]): void {
  const name = (route: Route) => `${route.method} ${route.path}`;
  const handled = bound.map((entry) => name(entry.route));
  const missing = contractRoutes()
    .map(name)
    .filter((route) => !handled.includes(route));
  if (missing.length > 0) throw new Error(`no handler for ${missing.join(', ')}`);
  const twice = handled.filter((route, index) => handled.indexOf(route) !== index);
  if (twice.length > 0) throw new Error(`more than one handler for ${twice.join(', ')}`);
  const open = bound.filter((entry) => !saysWhoMay(entry.route)).map((entry) => name(entry.route));
  if (open.length > 0) throw new Error(`no access is declared for ${open.join(', ')}`);
}

function saysWhoMay({ access }: Route): boolean {
  const said: { owner?: unknown; session?: unknown; permission?: unknown } | undefined = access;
  if (!said || (said.session !== undefined && (said.session !== true || said.owner !== true))) return false;
  const permitted = typeof said.permission === 'string' && /^authsec:[a-z-]+:[a-z-]+$/.test(said.permission);
  return permitted || (said.permission === undefined && said.owner === true);
}

function createHandler({ route, run }: BoundRoute, options: ApiOptions): RequestHandler {
  return async (request, response) => {
    const receivedAt = options.clock.monotonic();
    // Who may is decided before anything of the request is read or judged.
    const caller = await admit(request, route, options);
    noteFacts({ tenant: caller.tenantId, client_id: caller.application.clientId });
    if (route.body) await jsonBody(request, response, route.maxBodyBytes);
    let { status } = route;
    const call = {
      caller,
      params: parse(route.params ?? nothing, request.params, '/path'),
      query: parse(route.query ?? nothing, request.query, '/query'),
      body: route.body ? parse(route.body, request.body as unknown, '') : {},
      requestId: requestIdOf(response),
      idempotencyKey: idempotencyKeyOf(request),
      receivedAt,
      created: () => {
        status = route.createdStatus ?? status;
      },
      signal: goneSignal(response),
    };
    const result = await run(call);
    if (response.destroyed) return;
    send(response, route, status, result);
  };
}

/** A refusal says how to come back (RFC 6750 section 3); an address that collects them has to wait. */
async function admit(request: Request, route: Route, { gate, refusals }: ApiOptions): Promise<Caller> {
  const authorization = request.get('authorization');
  try {
    return await gate(authorization, route);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'invalid_token' && authorization !== undefined) await refusals.consume(addressOf(request));
    const challenge = challengeOf(error.code, authorization);
    if (challenge === undefined) throw error;
    throw new AppError(error.code, error.message, { cause: error, headers: { 'WWW-Authenticate': challenge } });
  }
}

function challengeOf(code: string, authorization: string | undefined): string | undefined {
  if (code === 'invalid_token') return authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
  return code === 'insufficient_permission' ? 'Bearer error="insufficient_scope"' : undefined;
}

function parse(schema: z.ZodType, value: unknown, base: string): unknown {
  if (!isStorable(value)) throw new AppError('invalid_request', 'a text has NUL or a lone surrogate');
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 20).flatMap((issue) => toFields(issue, base));
  throw new AppError('invalid_request', 'the request does not match the contract', { fields });
}

/** PostgreSQL keeps neither NUL nor lone surrogates: they would fail there, or come back as something else. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !/[\0\p{Cs}]/u.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, part]) => isStorable(key) && isStorable(part));
}

function toFields(issue: z.core.$ZodIssue, base: string): FieldError[] {
  const pointer = (path: readonly PropertyKey[]) =>
    base + path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100)}`).join('');
  if (issue.code !== 'unrecognized_keys')
    return [{ pointer: pointer(issue.path), detail: issue.message.slice(0, 200) }];
  return issue.keys
    .slice(0, 20)
    .map((key) => ({ pointer: pointer([...issue.path, key]), detail: 'is not known here' }));
}

function idempotencyKeyOf(request: Request): string | undefined {
  const key = request.get('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{8,200}$/.test(key)) return key;
  const fields = [{ pointer: '/header/idempotency-key', detail: 'must be 8 to 200 visible ASCII characters' }];
  throw new AppError('invalid_request', 'the idempotency key is malformed', { fields });
}

function goneSignal(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

function send(response: Response, route: Route, status: number, result: unknown): void {
  response.status(status).set('Cache-Control', 'no-store');
  if (!route.response) {
    response.end();
    return;
  }
  const checked = route.response.safeParse(result);
  if (!checked.success) {
    const where = checked.error.issues.map((issue) => `/${issue.path.join('/')} ${issue.code}`).slice(0, 5);
    throw new AppError('internal_error', `the answer does not match the contract: ${where.join('; ')}`);
  }
  response.json(checked.data);
}
