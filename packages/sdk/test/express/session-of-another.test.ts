import { createServer, request as httpRequest, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createMcpRouter, type McpRouter } from '../../src/express.js';
import { protectServer } from '../../src/protect-server.js';
import { admin, createFakeSession, type FakeSession } from '../guard/fake-session.js';
import { createLog, initializeParams, newServer } from '../guard/raw-client.js';

let router: McpRouter;
let listening: HttpServer;
let port: number;
let logins: FakeSession[];
let ran: number;

beforeEach(async () => {
  logins = [];
  ran = 0;
  router = createMcpRouter({
    logger: createLog(),
    createServer() {
      const server = newServer();
      server.registerTool('admin_dashboard', {}, () => {
        ran += 1;
        return { content: [{ type: 'text', text: 'dashboard' }] };
      });
      return protectServer(server, {
        tools: { admin_dashboard: { roles: ['admin'] } },
        logger: createLog(),
        createSession(guarded) {
          const login = createFakeSession(guarded);
          logins.push(login);
          return login;
        },
      });
    },
  });
  listening = createServer((request, response) => router(request, response));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  ({ port } = listening.address() as AddressInfo);
});
afterEach(async () => {
  await router.close();
  listening.closeAllConnections();
  await new Promise((resolve) => listening.close(resolve));
});

interface Answer {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly text: string;
}

/** A request as it is, also with a header twice. */
function send(
  method: string,
  options: { sessionId?: string | string[]; body?: unknown; more?: Record<string, string> } = {},
): Promise<Answer> {
  const { sessionId, body, more = {} } = options;
  const headers: Record<string, string | string[]> = {
    'content-type': 'application/json',
    accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
    ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
    ...more,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/', method, headers }, (response) => {
      const id = response.headers['mcp-session-id'];
      const done = (text: string) =>
        resolve({ status: response.statusCode ?? 0, sessionId: typeof id === 'string' ? id : undefined, text });
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => done(text));
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: initializeParams };
const callOf = (id: number) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'admin_dashboard' } });

async function open(): Promise<string> {
  return (await send('POST', { body: initialize })).sessionId!;
}

describe('who does not know the id of a session', () => {
  test('cannot choose the one that a session will have', async () => {
    const chosen = 'A'.repeat(22);
    const answer = await send('POST', { sessionId: chosen, body: initialize });
    expect([answer.status, answer.sessionId]).toEqual([404, undefined]);
    const query = await send('POST', { body: { ...initialize, sessionId: chosen, 'mcp-session-id': chosen } });
    expect(query.sessionId).not.toBe(chosen);
    expect((await send('POST', { sessionId: chosen, body: callOf(1) })).status).toBe(404);
  });

  test.each(['GET', 'POST', 'DELETE'])('reaches none by a part of it, another case or a list: %s', async (method) => {
    const sessionId = await open();
    logins[0]!.become(admin);
    const mine = await open();
    const swapped = sessionId.replaceAll(/[a-z]/gi, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    const body = method === 'POST' ? callOf(1) : undefined;
    for (const guess of [
      sessionId.slice(0, 21),
      `${sessionId}x`,
      swapped,
      `${mine}, ${sessionId}`,
      '*',
      '__proto__',
      '',
    ]) {
      expect([400, 404]).toContain((await send(method, { sessionId: guess, body })).status);
    }
    expect([400, 404]).toContain((await send(method, { sessionId: [mine, sessionId], body })).status);
    expect(ran).toBe(0);
    expect((await send('POST', { sessionId, body: callOf(2) })).text).toContain('dashboard');
  });

  test('gets nothing of it by a Last-Event-ID on a stream of their own', async () => {
    const sessionId = await open();
    logins[0]!.become(admin);
    await send('POST', { sessionId, body: callOf(1) });
    for (const last of ['0', '_GET_stream_0', sessionId, `${sessionId}_1`]) {
      const mine = await open();
      const text = await new Promise<string>((resolve, reject) => {
        const headers = { accept: 'text/event-stream', 'mcp-session-id': mine, 'last-event-id': last };
        const request = httpRequest({ host: '127.0.0.1', port, path: '/', method: 'GET', headers }, (response) => {
          let received = '';
          response.on('data', (chunk: Buffer) => {
            received += chunk.toString();
            if (!received.includes('list_changed')) return;
            response.destroy();
            resolve(received);
          });
          logins.at(-1)!.become(admin);
        });
        request.on('error', reject).end();
      });
      expect(text.match(/^data: .*/gm)).toEqual([
        'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
      ]);
    }
  });
});

describe('one session', () => {
  test('is begun once: a second initialize changes nothing', async () => {
    const sessionId = await open();
    logins[0]!.become(admin);
    const again = await send('POST', { sessionId, body: { ...initialize, id: 9 } });
    expect(again.status).toBe(400);
    expect(logins).toHaveLength(1);
    expect((await send('POST', { sessionId, body: callOf(1) })).text).toContain('dashboard');
  });

  test('is not begun by an initialize inside of a batch', async () => {
    const answer = await send('POST', { body: [initialize, callOf(1)] });
    expect([answer.status, answer.sessionId, router.sessionCount]).toEqual([400, undefined, 0]);
  });

  test.each(['1.0', '2099-01-01', '', 'x'.repeat(200)])(
    'answers no call under the protocol version %j',
    async (version) => {
      const sessionId = await open();
      logins[0]!.become(admin);
      const more = { 'mcp-protocol-version': version };
      expect((await send('POST', { sessionId, body: callOf(1), more })).status).toBe(400);
      expect(ran).toBe(0);
    },
  );

  test('that logs out while calls are under way runs none of those that come after', async () => {
    const sessionId = await open();
    logins[0]!.become(admin);
    logins[0]!.onOAuthCall = () => {
      logins[0]!.become({ kind: 'anonymous' });
      return { content: [] };
    };
    const logout = { jsonrpc: '2.0', id: 50, method: 'tools/call', params: { name: 'oauth_logout', arguments: {} } };
    const { text } = await send('POST', { sessionId, body: [callOf(1), logout, callOf(2), callOf(3)] });
    expect(text).toContain('Tool admin_dashboard not found');
    expect(ran).toBeLessThanOrEqual(1);
    const after = await send('POST', { sessionId, body: callOf(4) });
    expect(after.text).toContain('Tool admin_dashboard not found');
  });
});
