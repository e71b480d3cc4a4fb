import { createServer, type Server as HttpServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import express from 'express';
import { type McpRouterOptions, createMcpRouter } from '../../src/express.js';
import { protectServer } from '../../src/protect-server.js';
import { type FakeSession, admin, createFakeSession } from '../guard/fake-session.js';
import { createLog, initializeParams, newServer } from '../guard/raw-client.js';
import { until } from '../support/fake-clock.js';

type Json = any;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: Partial<McpRouterOptions> = {}) {
  const log = createLog();
  const logins: FakeSession[] = [];
  const router = createMcpRouter({
    logger: log,
    createServer() {
      const server = newServer();
      server.registerTool('ping', {}, () => ({ content: [{ type: 'text', text: 'pong' }] }));
      server.registerTool('admin_dashboard', {}, () => ({ content: [{ type: 'text', text: 'dashboard' }] }));
      return protectServer(server, {
        tools: { ping: { public: true }, admin_dashboard: { roles: ['admin'] } },
        logger: log,
        createSession(guarded) {
          const login = createFakeSession(guarded);
          logins.push(login);
          return login;
        },
      });
    },
    ...options,
  });
  const app = express();
  app.use('/mcp', router);
  const listening = await new Promise<HttpServer>((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
  const { port } = listening.address() as AddressInfo;
  closers.push(async () => {
    await router.close();
    listening.closeAllConnections();
    await new Promise((resolve) => listening.close(resolve));
  });
  return { url: `http://127.0.0.1:${port}/mcp`, port, router, log, logins };
}

async function openClient(url: string) {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  const client = new Client({ name: 'real client', version: '1' });
  closers.push(() => client.close());
  await client.connect(transport);
  return { client, transport };
}

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

function post(url: string, body: unknown, more: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { ...headers, ...more },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: initializeParams };

async function openSession(url: string): Promise<string> {
  const response = await post(url, initialize);
  await response.text();
  return response.headers.get('mcp-session-id')!;
}

/** What fetch does not let one say: a Host header of one's own. */
function rawRequest(port: number, options: { method?: string; headers?: Record<string, string>; body?: string }) {
  return new Promise<{ status: number; headers: Json; body: string }>((resolve, reject) => {
    const request = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path: '/mcp',
        method: options.method ?? 'POST',
        headers: { ...headers, ...options.headers },
      },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

describe.each([false, true])('a real client over Streamable HTTP (JSON answers: %s)', (enableJsonResponse) => {
  test('sees the tools of the person appear and go, and is told so in between', async () => {
    const { url, logins } = await serve({ enableJsonResponse });
    const { client } = await openClient(url);
    let changes = 0;
    const changed = new Promise<void>((resolve) => {
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        changes += 1;
        resolve();
      });
    });
    const names = async () =>
      (await client.listTools()).tools.map(({ name }) => name).filter((name) => !name.startsWith('oauth_'));
    expect(await names()).toEqual(['ping']);
    expect(client.getServerCapabilities()?.tools).toEqual({ listChanged: true });
    logins[0]!.become(admin);
    await changed;
    expect(await names()).toEqual(['ping', 'admin_dashboard']);
    expect((await client.callTool({ name: 'admin_dashboard' })).content).toEqual([{ type: 'text', text: 'dashboard' }]);
    logins[0]!.become({ kind: 'anonymous' });
    expect(await names()).toEqual(['ping']);
    expect(changes).toBeGreaterThan(0);
  });

  test('keeps two sessions apart', async () => {
    const { url, logins } = await serve({ enableJsonResponse });
    const one = await openClient(url);
    const two = await openClient(url);
    logins[0]!.become(admin);
    expect((await one.client.callTool({ name: 'admin_dashboard' })).isError).toBeUndefined();
    expect((await two.client.callTool({ name: 'admin_dashboard' })).isError).toBe(true);
    expect(one.transport.sessionId).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(one.transport.sessionId).not.toBe(two.transport.sessionId);
  });

  test('DELETE ends the session and its login', async () => {
    const { url, logins, router } = await serve({ enableJsonResponse });
    const { client, transport } = await openClient(url);
    expect(router.sessionCount).toBe(1);
    const { sessionId } = transport;
    await transport.terminateSession();
    await client.close();
    expect(router.sessionCount).toBe(0);
    expect(logins[0]!.closed).toBe(1);
    expect(
      (await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': sessionId! })).status,
    ).toBe(404);
  });
});

test('a login knows the address that its session was opened from, by trust proxy and not by what anyone says', async () => {
  const { url, logins } = await serve();
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initializeParams });
  const forged = { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.7', 'X-Real-IP': '203.0.113.7' };
  expect((await fetch(url, { method: 'POST', headers: { ...headers, ...forged }, body })).status).toBe(200);
  expect(logins[0]?.guarded.clientAddress?.()).toBe('127.0.0.1');
});

describe('what is refused', () => {
  test('an unknown session id: 404, in every method', async () => {
    const { url } = await serve();
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) } : {};
      const response = await fetch(url, {
        method,
        headers: { ...headers, 'mcp-session-id': 'AAAAAAAAAAAAAAAAAAAAAA' },
        ...body,
      });
      expect(response.status).toBe(404);
    }
  });

  test('a request without a session: 400 that says how to have one', async () => {
    const { url, router } = await serve();
    const response = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Json).error.data).toMatchObject({
      error: 'session_required',
      next_step: expect.stringContaining('initialize'),
    });
    expect(router.sessionCount).toBe(0);
  });

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80'])(
    'the Host %j: 403',
    async (host) => {
      const { port, router } = await serve();
      const { status } = await rawRequest(port, { headers: { host }, body: JSON.stringify(initialize) });
      expect(status).toBe(403);
      expect(router.sessionCount).toBe(0);
    },
  );

  test.each(['http://evil.example', 'null', 'http://localhost:6274'])(
    'the Origin %s, which nobody allowed: 403',
    async (origin) => {
      const { url, router } = await serve();
      expect((await post(url, initialize, { origin })).status).toBe(403);
      expect(router.sessionCount).toBe(0);
    },
  );

  test('an allowed Origin gets CORS headers, another one does not', async () => {
    const { url } = await serve({ allowedOrigins: ['http://localhost:6274'] });
    const response = await post(url, initialize, { origin: 'http://localhost:6274' });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:6274');
    expect((await fetch(url, { method: 'OPTIONS', headers: { origin: 'http://localhost:6274' } })).status).toBe(204);
    expect((await post(url, initialize, { origin: 'http://localhost:6275' })).status).toBe(403);
  });

  test('a body over the limit, said or not: 413', async () => {
    const { url, port } = await serve({ maxBodyBytes: 2_000 });
    const large = JSON.stringify({ ...initialize, padding: 'x'.repeat(3_000) });
    expect((await post(url, large)).status).toBe(413);
    const chunked = await rawRequest(port, { headers: { 'transfer-encoding': 'chunked' }, body: large });
    expect(chunked.status).toBe(413);
  });

  test('a client that goes away in the middle of its body is no error of the server', async () => {
    const { url, port, log } = await serve();
    const expecting = { ...headers, expect: '100-continue' };
    const request = httpRequest({ port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers: expecting });
    request.on('error', () => {});
    request.flushHeaders();
    await new Promise((resolve) => request.on('continue', resolve));
    request.destroy();
    await until(() => log.lines.some(({ message }) => message.includes('went away')));
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect((await post(url, initialize)).status).toBe(200);
  });

  test('a body that is no JSON, or nested too deep: 400', async () => {
    const { url } = await serve();
    expect((await post(url, '{"jsonrpc"')).status).toBe(400);
    expect((await post(url, `${'['.repeat(5_000)}${']'.repeat(5_000)}`)).status).toBe(400);
    const deep = JSON.stringify({ ...initialize, params: { ...initializeParams, _meta: { x: 0 } } });
    expect((await post(url, deep.replace('"x":0', `"x":${'['.repeat(150)}${']'.repeat(150)}`))).status).toBe(400);
    expect((await post(url, deep)).status).toBe(200);
  });

  test('another method: 405', async () => {
    const { url } = await serve();
    const response = await fetch(url, { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
  });

  test('an unknown protocol version reaches no tool: 400', async () => {
    const { url } = await serve();
    const id = await openSession(url);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'admin_dashboard' } };
    const response = await post(url, call, { 'mcp-session-id': id, 'mcp-protocol-version': '2099-01-01' });
    expect(response.status).toBe(400);
  });

  test('an initialize that the transport refuses leaves no session and no login behind', async () => {
    const { url, router, logins } = await serve();
    const more = { method: 'POST', body: JSON.stringify(initialize) };
    const response = await fetch(url, { ...more, headers: { 'content-type': 'application/json' } });
    expect(response.status).toBe(406);
    expect(router.sessionCount).toBe(0);
    expect(logins.map(({ closed }) => closed)).toEqual([1]);
  });

  test('bad options, by name', () => {
    const createServer = () => newServer();
    expect(() => createMcpRouter({ createServer, maxSessions: 0 })).toThrow(/maxSessions/);
    expect(() => createMcpRouter({ createServer, allowedHosts: ['http://x'] })).toThrow(/allowedHosts/);
    expect(() => createMcpRouter({ createServer, allowedOrigins: ['localhost'] })).toThrow(/allowedOrigins/);
    expect(() => createMcpRouter({} as never)).toThrow(/createServer/);
  });
});

describe('the session id', () => {
  test('is in no log line', async () => {
    const { url, log } = await serve();
    const id = await openSession(url);
    await post(
      url,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'admin_dashboard' } },
      { 'mcp-session-id': id },
    );
    await post(url, '{', { 'mcp-session-id': id });
    await fetch(url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': id } });
    expect(JSON.stringify(log.lines)).not.toContain(id);
    expect(log.lines.length).toBeGreaterThan(0);
  });
});

/** A moment that something waits for. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), opened };
}

describe('a flood of sessions', () => {
  test('whose clients go away while their server is made leaves nothing that is never idle', async () => {
    const steps = { asked: gate(), left: gate(), closed: gate(), opened: gate() };
    const router = createMcpRouter({
      idleTimeoutSeconds: 0.05,
      async createServer() {
        steps.asked.open();
        await steps.left.opened;
        return newServer();
      },
      createTransport: (options) =>
        new StreamableHTTPServerTransport({
          ...options,
          onsessioninitialized(id) {
            options.onsessioninitialized(id);
            steps.opened.open();
          },
        }),
    });
    const listening = createServer((request, response) => {
      response.on('close', steps.closed.open);
      router(request, response);
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    closers.push(async () => {
      await router.close();
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
    });
    const client = new AbortController();
    const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/mcp`;
    const asking = fetch(url, { method: 'POST', headers, body: JSON.stringify(initialize), signal: client.signal });
    await steps.asked.opened;
    client.abort();
    await expect(asking).rejects.toThrow();
    await steps.closed.opened;
    steps.left.open();
    await steps.opened.opened;
    await until(() => router.sessionCount === 0);
  });

  test('ends the flood itself, not the login of another', async () => {
    const { url, router, logins } = await serve({ maxSessions: 5 });
    const { client } = await openClient(url);
    logins[0]!.become(admin);
    for (let index = 0; index < 20; index += 1) await openSession(url);
    expect(router.sessionCount).toBe(5);
    expect((await client.callTool({ name: 'admin_dashboard' })).isError).toBeUndefined();
  });

  test('of signed-in people is answered 503', async () => {
    const { url, logins } = await serve({ maxSessions: 1 });
    await openSession(url);
    logins[0]!.become(admin);
    expect((await post(url, initialize)).status).toBe(503);
  });
});
