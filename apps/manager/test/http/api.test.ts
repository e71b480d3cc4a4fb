import { routes, type Route } from '@authsec/manager-client/contract';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import express, { type Express } from 'express';
import request from 'supertest';
import { bindContract } from '../../src/http/api-routes.js';
import type { BoundRoute } from '../../src/http/handle.js';
import { createErrorHandler, notFound } from '../../src/http/middleware/error-handler.js';
import { requestId } from '../../src/http/middleware/request-id.js';
import { type ApiOptions, contractRoutes, createApi } from '../../src/http/routes.js';
import { createLogger } from '../../src/integrations/logger.js';
import { systemClock } from '../../src/ports/clock.js';
import { createTestApplication } from '../support/test-data.js';
import { createTestManager, type TestManager } from '../support/test-manager.js';

let manager: TestManager;
beforeAll(async () => {
  manager = await createTestManager();
});
afterAll(() => manager.close());

const examples: Record<string, string> = {
  sid: 'a'.repeat(20),
  digest: 'a'.repeat(43),
  user_id: '00000000-0000-4000-8000-000000000000',
  decision_id: '00000000-0000-4000-8000-000000000000',
  tenant_id: 'acme-corp',
  service_id: '00000000-0000-4000-8000-000000000000',
  lease_id: '00000000-0000-4000-8000-000000000000',
  sub: '00000000-0000-4000-8000-000000000000',
  kind: 'roles',
  name: 'admin',
};
const pathOf = (route: Route) => route.path.replaceAll(/:(\w+)/g, (_match, name: string) => examples[name]!);
const everyRoute = contractRoutes().map((route): [string, Route] => [`${route.method} ${route.path}`, route]);

describe('nothing answers without a token', () => {
  test.each(everyRoute)('401: %s', async (_name, route) => {
    const method = route.method.toLowerCase() as 'get';
    const answer = await request(manager.app)[method](pathOf(route)).send({});
    expect([answer.status, answer.body.code, answer.headers['www-authenticate']]).toEqual([
      401,
      'invalid_token',
      'Bearer',
    ]);
  });

  /** What anyone may ask: health, sign-in, connecting an account, metadata and keys. A new one has to be put here by hand. */
  const open = [
    '/.well-known/oauth-authorization-server/t/:tenant',
    '/.well-known/openid-configuration/t/:tenant',
    '/assets/:file',
    '/auth',
    '/completion',
    '/connect/:link',
    '/connect/callback/:service',
    '/connect/signed-in/:uid',
    '/go',
    '/go/:id',
    '/healthz',
    '/interaction/:uid',
    '/interaction/:uid/came-back',
    '/readyz',
    '/sign-in/callback/:provider',
  ];

  /** What an OAuth client asks with its own credentials. */
  const clients = ['/introspection', '/request', '/revocation', '/token'];

  test('the app has the routes of the contract, those known to be open, those of OAuth clients, and no others', () => {
    const known = new Set<string>([...contractRoutes().map((route) => route.path), ...open, ...clients]);
    expect([...pathsOf(manager.app.router)].filter((path) => !known.has(path))).toEqual([]);
  });

  test.each([...clients, '/go'])('no client is served at %s without its credentials', async (path) => {
    const { issuer } = await manager.createTenant();
    const answer = await request(manager.app)
      .post(new URL(issuer).pathname + path)
      .type('form')
      .send({ grant_type: 'client_credentials', token: 'x', client_id: 'nobody' });
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
  });
});

describe('the route table', () => {
  const bound = () => bindContract(manager.container);
  const options: ApiOptions = {
    gate: async () => ({}) as never,
    refusals: { consume: async () => {} },
    clock: systemClock,
  };

  test('start-up fails where a route of the contract has no handler', () => {
    expect(() => createApi(bound().slice(1), options)).toThrow(/no handler for GET \/v1\/changes/);
  });

  test('start-up fails where a route has two handlers', () => {
    expect(() => createApi([...bound(), bound()[0]!], options)).toThrow(/more than one handler for GET \/v1\/changes/);
  });

  test.each([
    undefined,
    {},
    { owner: false },
    { permission: '' },
    { permission: 'users:read' },
    { owner: 'yes' },
    { session: true },
    { owner: true, session: 'yes' },
    { session: true, permission: 'authsec:users:read' },
  ])('start-up fails where a route says %j of who may', (access) => {
    const [first, ...rest] = bound();
    const silent = { ...first!, route: { ...first!.route, access } } as unknown as BoundRoute;
    expect(() => createApi([silent, ...rest], options)).toThrow(/no access is declared for GET \/v1\/changes/);
  });

  test('who may is decided before anything of the request is read', async () => {
    const gate = jest.fn<ApiOptions['gate']>(async () => {
      throw new Error('refused');
    });
    const answer = await request(appOf(bound(), { ...options, gate }))
      .post('/v1/sessions')
      .set('Content-Type', 'application/json')
      .send('{ this is no JSON');
    expect([answer.status, gate.mock.calls.length]).toEqual([500, 1]);
  });

  test.each<[string, unknown]>([
    ['too much', { sessions: [], next: null, secret: 'x' }],
    ['too little', { sessions: [] }],
    ['nothing', undefined],
  ])('an answer with %s is withheld: internal_error', async (_name, result) => {
    const broken = bound().map((entry) =>
      entry.route === (routes.sessions.list as unknown as Route) ? { ...entry, run: async () => result } : entry,
    );
    const answer = await request(appOf(broken, options)).get('/v1/sessions');
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    expect(answer.text).not.toContain('secret');
  });
});

describe('what no route takes', () => {
  test.each(['/', '/v1', '/v1/', '/v2/users', '/v1/users/', '/V1/users', '/v1/Users', '/v1/users/../tenants'])(
    '404: %s',
    async (path) => {
      const answer = await request(manager.app).get(path).set('Authorization', 'Bearer x');
      expect([answer.status, answer.body.code]).toEqual(
        path.includes('..') ? [401, 'invalid_token'] : [404, 'not_found'],
      );
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    },
  );

  test('405 names the methods there are', async () => {
    const answer = await request(manager.app).put('/v1/sessions');
    expect([answer.status, answer.body.code]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers['allow']?.split(', ').sort()).toEqual(['GET', 'POST']);
  });

  test('the request id of the problem is that of the header', async () => {
    const answer = await request(manager.app).get('/nowhere').set('X-Request-Id', 'chosen-by-the-client');
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
  });

  test('no header tells what serves it, and the answer may not be framed or sniffed', async () => {
    const { headers } = await request(manager.app).get('/healthz');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' });
    expect(headers['strict-transport-security']).toMatch(/max-age/);
  });
});

describe('bodies', () => {
  let authorization: string;
  beforeAll(async () => {
    authorization = await (await createTestApplication(await manager.createTenant())).bearer();
  });
  const post = (body: string | Buffer, type = 'application/json', encoding = '') => {
    const call = request(manager.app).post('/v1/sessions/renew').set('Authorization', authorization);
    call.set('Content-Type', type);
    if (encoding) call.set('Content-Encoding', encoding);
    return call.send(body);
  };
  const deep = (levels: number) => `{"sids":${'['.repeat(levels)}${']'.repeat(levels)}}`;

  test.each<[string, number, string, () => ReturnType<typeof post>]>([
    ['more than 64 KiB', 413, 'payload_too_large', () => post(JSON.stringify({ sids: ['x'.repeat(65_536)] }))],
    ['deeper than 20 levels', 413, 'payload_too_large', () => post(deep(20))],
    ['20 levels', 400, 'invalid_request', () => post(deep(19))],
    ['brackets in strings', 400, 'invalid_request', () => post(JSON.stringify({ sids: ['"[[[['.repeat(100)] }))],
    ['no JSON', 400, 'invalid_request', () => post('{"sids":')],
    ['a bare value', 400, 'invalid_request', () => post('"x"')],
    ['nothing', 400, 'invalid_request', () => post('')],
    ['another type', 415, 'unsupported_media_type', () => post('sids=x', 'application/x-www-form-urlencoded')],
    ['another charset', 415, 'unsupported_media_type', () => post('{}', 'application/json; charset=latin1')],
    ['a compressed body', 415, 'unsupported_media_type', () => post('{}', 'application/json', 'gzip')],
    ['__proto__', 400, 'invalid_request', () => post('{"sids":["aaaaaaaaaaaa"],"__proto__":{"x":1}}')],
  ])('%s', async (_name, status, code, send) => {
    const answer = await send();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('a malformed Idempotency-Key is told', async () => {
    const answer = await post(JSON.stringify({ sids: ['aaaaaaaaaaaa'] })).set('Idempotency-Key', 'x');
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/header/idempotency-key']);
  });
});

describe('health', () => {
  test('200 while it is ready, 503 for /readyz once it stops', async () => {
    const { app, container } = await manager.another();
    expect((await request(app).get('/healthz')).body).toEqual({ status: 'ok' });
    expect((await request(app).get('/readyz')).body).toEqual({
      status: 'ready',
      dependencies: { database: 'ok', secret_store: 'ok' },
    });
    container.stop();
    expect((await request(app).get('/healthz')).status).toBe(200);
    expect((await request(app).get('/readyz')).status).toBe(503);
  });
});

function appOf(bound: BoundRoute[], options: ApiOptions): Express {
  const app = express();
  app.use(requestId, createApi(bound, options), notFound, createErrorHandler(createLogger('silent')));
  return app;
}

interface Stack {
  readonly stack: readonly { readonly route?: { readonly path: string | string[] }; readonly handle: unknown }[];
}

function pathsOf(router: unknown): Set<string> {
  const { stack = [] } = router as Partial<Stack>;
  return new Set(
    stack.flatMap((layer) => [...(layer.route ? [layer.route.path].flat() : []), ...pathsOf(layer.handle)]),
  );
}
