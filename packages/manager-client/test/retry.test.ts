import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createManagerClient } from '../src/index.js';
import { backoffMs, parseRetryAfter } from '../src/retry.js';
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

const client = () =>
  createManagerClient({ issuer: server.issuer, clientId: 'demo', clientSecret: 's', maxRetries: 2, timeoutMs: 5_000 });
const body = { access_token: 'x', mcp_session: 'A'.repeat(22) };

const broken: Answer = (_, response) => void response.destroy();
const away: Answer = (_, response) => void response.writeHead(503, { 'content-type': 'text/html' }).end('<html>');
const bound: Answer = (_, response) => json(response, 201, activeSession);

describe('a repeat', () => {
  test('a bind is repeated with the same idempotency key, until it is answered', async () => {
    server.script(broken, away, bound);
    expect(await client().sessions.bind(body)).toEqual(activeSession);
    const keys = server.apiRequests().map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    await client().sessions.bind(body);
    expect(server.apiRequests().at(-1)?.headers['idempotency-key']).not.toBe(keys[0]);
  });

  test('a given idempotency key is used', async () => {
    server.script(bound);
    await client().sessions.bind(body, { idempotencyKey: 'a-key-of-mine' });
    expect(server.apiRequests()[0]?.headers['idempotency-key']).toBe('a-key-of-mine');
  });

  test('GET and DELETE are repeated, so many times', async () => {
    server.script(away);
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'invalid_response', status: 503 });
    expect(server.apiRequests()).toHaveLength(3);
    server.script(broken, (_, response) => void response.writeHead(204).end());
    await client().sessions.revoke(sid, { reason: 'logged_out' });
    expect(server.apiRequests()).toHaveLength(5);
    expect(server.apiRequests()[4]).toMatchObject({ method: 'DELETE', path: `/v1/sessions/${sid}?reason=logged_out` });
  });

  test('what is not safe to repeat is sent once', async () => {
    server.script(broken);
    await expect(client().users.create({ email: 'a@b.example' })).rejects.toMatchObject({ code: 'unreachable' });
    const user = { user_id: '7f8f2b9e-5d3f-4a52-9a4f-0f6f1e1d2c3b', kind: 'roles', name: 'admin' } as const;
    await expect(client().users.assign(user)).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.apiRequests()).toHaveLength(2);
  });

  test('what the Manager decided is not asked again', async () => {
    server.script((_, response) => problem(response, 404, 'not_found'));
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'not_found' });
    server.script((_, response) => json(response, 200, {}));
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'invalid_response' });
    expect(server.apiRequests()).toHaveLength(2);
  });

  test('Retry-After is waited for when short, and told when long', async () => {
    let at = 0;
    server.script(
      (_, response) => {
        at = performance.now();
        problem(response, 429, 'rate_limited', { 'retry-after': '1' });
      },
      (_, response) => {
        at = performance.now() - at;
        problem(response, 404, 'not_found');
      },
    );
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'not_found' });
    expect(at).toBeGreaterThanOrEqual(990);
    server.script((_, response) => problem(response, 429, 'rate_limited', { 'retry-after': '3600' }));
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 });
    expect(server.apiRequests()).toHaveLength(3);
  });

  test('an abort ends the wait for the next attempt', async () => {
    const controller = new AbortController();
    server.script((_, response) => {
      problem(response, 503, 'tenant_unavailable', { 'retry-after': '9' });
      setTimeout(() => controller.abort(), 20);
    });
    await expect(client().sessions.get(sid, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(server.apiRequests()).toHaveLength(1);
  });
});

test('the wait doubles up to a ceiling, and is anything below it', () => {
  const backoff = { baseMs: 100, maxMs: 1_000 };
  expect([0, 1, 2, 3, 4, 5, 1_000].map((attempt) => backoffMs(attempt, backoff, () => 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000, 1_000,
  ]);
  expect(backoffMs(3, backoff, () => 0)).toBe(0);
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('Mon, 05 Jan 2026 10:00:00 GMT');
  expect(parseRetryAfter('7', now)).toBe(7_000);
  expect(parseRetryAfter('Mon, 05 Jan 2026 10:00:03 GMT', now)).toBe(3_000);
  expect(parseRetryAfter('Mon, 05 Jan 2026 09:00:00 GMT', now)).toBe(0);
  for (const nonsense of ['soon', '-1', '1e9', '', null]) expect(parseRetryAfter(nonsense, now)).toBeUndefined();
});
