import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createClientCredentialsToken } from '../src/access-token.js';
import { createFetchTransport, createManagerClient, parseIssuer } from '../src/index.js';
import { json, problem, sid, startApiServer, type Answer, type ApiServer } from './support/api-server.js';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

function source(now: () => number = () => 0) {
  const issuer = parseIssuer(server.issuer);
  const transport = createFetchTransport();
  return createClientCredentialsToken({
    issuer,
    clientId: 'de:mo',
    clientSecret: 's +&%',
    transport,
    timeoutMs: 5_000,
    now,
  });
}

describe("the application's own token", () => {
  test('is asked for with client_secret_basic for the API of the issuer', async () => {
    await source().get();
    const [request] = server.tokenRequests();
    expect(Buffer.from(request?.headers.authorization?.slice(6) ?? '', 'base64').toString()).toBe(
      'de%3Amo:s+%2B%26%25',
    );
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'client_credentials',
      resource: `${server.issuer}/v1`,
    });
  });

  test('is asked for once by many at a time, and renewed at 80 % of its lifetime', async () => {
    let now = 0;
    const token = source(() => now);
    const all = await Promise.all(Array.from({ length: 20 }, () => token.get()));
    expect(new Set(all)).toEqual(new Set(['token-1']));
    now = 479_999;
    expect(await token.get()).toBe('token-1');
    now = 480_000;
    expect(await token.get()).toBe('token-2');
    expect(server.tokenRequests()).toHaveLength(2);
  });

  test('a failure is not kept', async () => {
    const token = source();
    server.onToken((_, response) => json(response, 401, { error: 'invalid_client', error_description: 's +&%' }));
    const error = await token.get().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'token_request_failed', status: 401 });
    expect(String(error)).toContain('invalid_client');
    expect(String(error)).not.toContain('s +&%');
    server.onToken((_, response) => json(response, 200, { access_token: 'x', token_type: 'bearer', expires_in: 60 }));
    expect(await token.get()).toBe('x');
  });

  test("one caller's abort leaves the others their token", async () => {
    const token = source();
    const controller = new AbortController();
    const aborted = token.get(controller.signal);
    const other = token.get();
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    expect(await other).toBe('token-1');
  });

  test.each<[string, Answer]>([
    ['an error page', (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['{}', (_, response) => json(response, 200, {})],
    ['no lifetime', (_, response) => json(response, 200, { access_token: 'x', token_type: 'bearer' })],
    [
      'a token with a line break',
      (_, response) => json(response, 200, { access_token: 'x\r\ny', token_type: 'bearer', expires_in: 60 }),
    ],
    [
      'another kind of token',
      (_, response) => json(response, 200, { access_token: 'x', token_type: 'dpop', expires_in: 60 }),
    ],
  ])('%s is no token', async (_, answer) => {
    server.onToken(answer);
    await expect(source().get()).rejects.toMatchObject({ code: 'token_request_failed' });
  });
});

describe('a 401 of the API', () => {
  const client = () =>
    createManagerClient({ issuer: server.issuer, clientId: 'demo', clientSecret: 's', maxRetries: 0 });

  test('gets a new token and asks again, once', async () => {
    const refused: string[] = [];
    server.onApi((request, response) => {
      const { authorization = '' } = request.headers;
      if (authorization !== 'Bearer token-1') return problem(response, 404, 'not_found');
      refused.push(authorization);
      problem(response, 401, 'invalid_token');
    });
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'not_found' });
    expect(refused).toEqual(['Bearer token-1']);
    expect(server.tokenRequests()).toHaveLength(2);
  });

  test('again is an error, not a loop', async () => {
    server.onApi((_, response) => problem(response, 401, 'invalid_token'));
    await expect(client().sessions.get(sid)).rejects.toMatchObject({ code: 'invalid_token', status: 401 });
    expect(server.apiRequests()).toHaveLength(2);
    expect(server.tokenRequests()).toHaveLength(2);
  });
});
