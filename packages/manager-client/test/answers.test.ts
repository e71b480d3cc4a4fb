import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { createManagerClient, ManagerClientError } from '../src/index.js';
import {
  activeSession,
  json,
  problem,
  sid,
  startApiServer,
  type Answer,
  type ApiServer,
} from './support/api-server.js';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

const secret = 'the-client-secret';
const client = (options = {}) =>
  createManagerClient({ issuer: server.issuer, clientId: 'demo', clientSecret: secret, maxRetries: 0, ...options });

async function failure(promise: Promise<unknown>): Promise<ManagerClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof ManagerClientError)) throw new Error(`no ManagerClientError but ${String(error)}`);
  return error;
}

const body = { access_token: 'the-persons-token', mcp_session: 'A'.repeat(22) };

test('an answer that is exactly the contract is taken', async () => {
  server.onApi((_, response) => json(response, 201, activeSession));
  expect(await client().sessions.bind(body)).toEqual(activeSession);
});

const raw =
  (status: number, text: string, type = 'application/json') =>
  (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': type }).end(text);

describe('never taken for a yes', () => {
  const yes = JSON.stringify(activeSession);
  test.each<[string, (response: ServerResponse) => void]>([
    ['an HTML error page with status 201', raw(201, '<html>It works!</html>', 'text/html')],
    ['JSON that is declared as HTML', raw(201, yes, 'text/html')],
    ['{}', raw(201, '{}')],
    ['null', raw(201, 'null')],
    ['an empty body', raw(201, '')],
    ['another success status', raw(200, yes)],
    ['no content', raw(204, '')],
    ['a redirect', (response) => void response.writeHead(302, { location: '/v1/other' }).end()],
    ['half of the JSON', raw(201, yes.slice(0, yes.length / 2))],
    ['two answers in one', raw(201, yes + yes)],
    ['a lease that is text', raw(201, JSON.stringify({ ...activeSession, lease_seconds: '30' }))],
    ['a lease of an hour', raw(201, JSON.stringify({ ...activeSession, lease_seconds: 3600 }))],
    ['a lease below zero', raw(201, JSON.stringify({ ...activeSession, lease_seconds: -1 }))],
    ['grants that are an object', raw(201, JSON.stringify({ ...activeSession, grants: { roles: {} } }))],
    [
      'a role that is not text',
      raw(201, JSON.stringify({ ...activeSession, grants: { ...activeSession.grants, roles: [true] } })),
    ],
    ['an unknown member', raw(201, JSON.stringify({ ...activeSession, allowed: true }))],
    ['an ended session', raw(201, JSON.stringify({ status: 'ended', sid, reason: 'expired' }))],
    [
      'what is not UTF-8',
      (response) => void response.writeHead(201, { 'content-type': 'application/json' }).end(Buffer.from([0xff, 0xfe])),
    ],
    ['an error page of a proxy', raw(502, '<html>Bad gateway</html>', 'text/html')],
    ['an error body without a code', raw(500, '{"error":"oops"}')],
    [
      'a problem whose status is another',
      (response) =>
        raw(403, JSON.stringify({ type: 'x', title: 'x', status: 404, code: 'not_found', request_id: 'r' }))(response),
    ],
  ])('%s', async (_, answer) => {
    server.onApi((__, response) => answer(response));
    const error = await failure(client().sessions.bind(body));
    expect(error.code).toBe('invalid_response');
  });

  test('allowed: "true" in a decision', async () => {
    const decision = {
      decision_id: '7f8f2b9e-5d3f-4a52-9a4f-0f6f1e1d2c3b',
      at: '2026-01-01T00:00:00Z',
      allowed: 'true',
      code: 'allowed',
      reasons: [],
      sub: 'ada',
      sid,
      tool: null,
      policy_version: '1',
    };
    server.onApi((_, response) => json(response, 201, decision));
    const ask = () => client().decisions.decide({ sid, requirement: { roles: ['admin'] } });
    expect((await failure(ask())).code).toBe('invalid_response');
    server.onApi((_, response) => json(response, 201, { ...decision, allowed: true }));
    expect((await ask()).allowed).toBe(true);
  });

  test('an answer whose connection breaks in the middle', async () => {
    server.onApi((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': yes.length });
      response.write(yes.slice(0, 20), () => response.destroy());
    });
    expect((await failure(client().sessions.bind(body))).code).toBe('unreachable');
  });

  test('an answer that comes late, also when only its end is late', async () => {
    server.onApi((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.write(yes.slice(0, 20));
    });
    expect((await failure(client().sessions.bind(body, { timeoutMs: 50 }))).code).toBe('timeout');
    server.onApi(() => {});
    expect((await failure(client().sessions.bind(body, { timeoutMs: 50 }))).code).toBe('timeout');
  });

  test('an answer beyond the size limit, without being read to its end', async () => {
    let written = 0;
    server.onApi((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && written < 50_000_000) {
          written += 100_000;
          if (!response.write(' '.repeat(100_000))) {
            response.once('drain', more);
            return;
          }
        }
        response.end(yes);
      };
      more();
    });
    const error = await failure(client({ maxResponseBytes: 1_000_000 }).sessions.bind(body));
    expect(error.code).toBe('invalid_response');
    expect(written).toBeLessThan(50_000_000);
  });
});

describe('errors', () => {
  test('a problem body gives its code, status and request id', async () => {
    server.onApi((_, response) => problem(response, 409, 'token_already_used'));
    const error = await failure(client().sessions.bind(body));
    expect(error).toMatchObject({
      code: 'token_already_used',
      status: 409,
      requestId: 'r-1',
      name: 'ManagerClientError',
    });
  });

  test('nobody listens: unreachable', async () => {
    await server.close();
    expect((await failure(client().sessions.get(sid))).code).toBe('unreachable');
    server = await startApiServer();
  });

  test('an abort: aborted, before, during and while waiting for a token', async () => {
    expect((await failure(client().sessions.get(sid, { signal: AbortSignal.abort() }))).code).toBe('aborted');
    for (const hang of ['onApi', 'onToken'] as const) {
      const controller = new AbortController();
      server[hang](() => controller.abort());
      expect((await failure(client().sessions.get(sid, { signal: controller.signal }))).code).toBe('aborted');
    }
  });

  test('no error holds the secret, the token or the body', async () => {
    const answers: Answer[] = [
      (_, response) => problem(response, 401, 'invalid_token'),
      (request, response) => json(response, 201, { echo: [request.headers.authorization, request.body] }),
      (_, response) => void response.destroy(),
      () => {},
    ];
    for (const answer of answers) {
      server.onApi(answer);
      const error = await failure(client({ timeoutMs: 100 }).sessions.bind(body));
      const text = describeDeeply(error);
      for (const held of [secret, 'token-', 'the-persons-token', btoa(`demo:${secret}`)])
        expect(text).not.toContain(held);
    }
  });

  test('misuse is a TypeError that names the field, and nothing is sent', async () => {
    await expect(client().sessions.get('../tenants')).rejects.toThrow(/^params\.sid: /);
    await expect(client().sessions.renew([])).rejects.toThrow(/^body\.sids: /);
    await expect(client().sessions.list({ limit: 0 })).rejects.toThrow(TypeError);
    expect(server.apiRequests()).toEqual([]);
  });
});

test('parameters are encoded, so that a name cannot reach another path', async () => {
  server.onApi((_, response) => void response.writeHead(204).end());
  const user_id = '7f8f2b9e-5d3f-4a52-9a4f-0f6f1e1d2c3b';
  await client().users.unassign({ user_id, kind: 'roles', name: '../../x?y#z%2f' });
  expect(server.apiRequests()[0]?.path).toBe(`/v1/users/${user_id}/roles/..%2F..%2Fx%3Fy%23z%252f`);
  await expect(client().users.unassign({ user_id, kind: 'roles', name: '..' })).rejects.toThrow(/^params\.name: /);
});

function describeDeeply(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.message, error.stack, JSON.stringify(error), describeDeeply(error.cause)].join('\n');
}
