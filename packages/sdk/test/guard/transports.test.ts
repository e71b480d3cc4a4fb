import { type Server as HttpServer, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { protectServer } from '../../src/protect-server.js';
import { oauthToolNames } from '../../src/session/caller-session.js';
import { type FakeSession, admin, createFakeSession } from './fake-session.js';
import { type Json, createLog, initializeParams, newServer } from './raw-client.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function acme() {
  const server = newServer();
  const ran: string[] = [];
  for (const name of ['ping', 'admin_dashboard']) {
    server.registerTool(name, {}, () => {
      ran.push(name);
      return { content: [{ type: 'text', text: `${name} ran` }] };
    });
  }
  const sessions: FakeSession[] = [];
  protectServer(server, {
    tools: { ping: { public: true }, admin_dashboard: { roles: ['admin'] } },
    logger: createLog(),
    createSession(guarded) {
      const session = createFakeSession(guarded);
      sessions.push(session);
      return session;
    },
  });
  closers.push(() => server.close());
  return { server, ran, sessions };
}

const initialize = { jsonrpc: '2.0', id: 'init', method: 'initialize', params: initializeParams };
const call = (id: unknown, name: string, more = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, ...more },
});

/** The transport of the MCP SDK on a bare HTTP server; answers are bodies as they went over the wire. */
async function overHttp(mode: { json: boolean; stateless?: boolean }) {
  const http: HttpServer = createServer((request, response) => void handle(request, response));
  const all: ReturnType<typeof acme>[] = [];
  let kept: StreamableHTTPServerTransport | undefined;
  async function open() {
    const made = acme();
    all.push(made);
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: mode.json,
      sessionIdGenerator: mode.stateless ? undefined : () => 'S'.repeat(22),
    });
    await made.server.connect(transport);
    return transport;
  }
  async function handle(request: Json, response: Json) {
    const transport = mode.stateless ? await open() : (kept ??= await open());
    await transport.handleRequest(request, response);
  }
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  const post = async (body: unknown, more: Record<string, string> = {}) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(mode.stateless ? {} : { 'mcp-session-id': 'S'.repeat(22) }),
      ...more,
    };
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const messages: Json[] = text.startsWith('event:')
      ? text
          .split('\n\n')
          .filter(Boolean)
          .map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)))
      : [JSON.parse(text || 'null')].flat();
    return { status: response.status, text, messages };
  };
  if (!mode.stateless) await post(initialize, { 'mcp-session-id': '' });
  return { post, all };
}

describe.each([
  ['event stream', false],
  ['JSON', true],
])('Streamable HTTP, answers as %s', (_, json) => {
  test('a batch that lists and calls under one id gets nothing that is hidden', async () => {
    const { post, all } = await overHttp({ json });
    const { text } = await post([{ jsonrpc: '2.0', id: 'd', method: 'tools/list' }, call('d', 'admin_dashboard')]);
    expect(text).not.toContain('admin_dashboard');
    expect(text).toContain('-32600');
    expect(all[0]?.ran).toEqual([]);
  });

  test('in a batch each call is judged: a hidden tool answers as an unknown one, byte for byte', async () => {
    const { post, all } = await overHttp({ json });
    const one = await post([
      call(1, 'admin_dashboard'),
      call(2, 'ping'),
      call(3, 'admin_dashboard', { _meta: { progressToken: 1 } }),
    ]);
    const two = await post([
      call(1, 'no_such_toolname'),
      call(2, 'ping'),
      call(3, 'no_such_toolname', { _meta: { progressToken: 1 } }),
    ]);
    const normal = (text: string) =>
      text.replaceAll('no_such_toolname', 'admin_dashboard').split('\n').sort().join('\n');
    expect(normal(one.text)).toBe(normal(two.text));
    expect(all[0]?.ran).toEqual(['ping', 'ping']);
  });

  test('of duplicate keys the one that is judged is the one that is called', async () => {
    const { post, all } = await overHttp({ json });
    await post('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping","name":"admin_dashboard"}}');
    await post(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping"},"params":{"name":"admin_dashboard"}}',
    );
    expect(all[0]?.ran).toEqual([]);
  });

  test('after login the same session reaches its tools', async () => {
    const { post, all } = await overHttp({ json });
    all[0]?.sessions[0]?.become(admin);
    expect((await post(call(1, 'admin_dashboard'))).messages.at(-1).result.content[0].text).toBe('admin_dashboard ran');
  });
});

describe('stateless HTTP', () => {
  test.each([{}, { 'mcp-session-id': 'S'.repeat(22) }])(
    'ties no login to a request, whatever header it carries: %j',
    async (headers) => {
      const { post, all } = await overHttp({ json: true, stateless: true });
      const { messages } = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, headers as never);
      expect(messages[0].result.tools.map(({ name }: Json) => name)).toEqual([...oauthToolNames, 'ping']);
      await post(call(2, 'oauth_start'), headers as never);
      expect(all.at(-1)?.sessions[0]?.guarded.hasTransportSession()).toBe(false);
      expect((await post(call(3, 'admin_dashboard'), headers as never)).messages[0].result.isError).toBe(true);
    },
  );
});

describe('stdio', () => {
  test('hides and shows like any transport', async () => {
    const { server, ran, sessions } = acme();
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const answers: Json[] = [];
    const waiting = new Map<unknown, (answer: Json) => void>();
    stdout.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split('\n')) {
        const answer = JSON.parse(line);
        answers.push(answer);
        waiting.get(answer.id)?.(answer);
      }
    });
    await server.connect(new StdioServerTransport(stdin, stdout));
    const request = (message: Json) =>
      new Promise<Json>((resolve) => {
        waiting.set(message.id, resolve);
        stdin.write(`${JSON.stringify(message)}\n`);
      });
    await request(initialize);
    expect((await request(call(1, 'admin_dashboard'))).result.isError).toBe(true);
    sessions[0]?.become(admin);
    expect((await request(call(2, 'admin_dashboard'))).result.content[0].text).toBe('admin_dashboard ran');
    expect(answers.some(({ method }) => method === 'notifications/tools/list_changed')).toBe(true);
    expect(sessions[0]?.guarded.hasTransportSession()).toBe(true);
    expect(ran).toEqual(['admin_dashboard']);
  });
});

describe('a handler that an author puts around ours', () => {
  test('before or after connect sees messages, and takes nothing from the guard', async () => {
    const { server, ran, sessions } = acme();
    const { InMemoryTransport } = await import('@modelcontextprotocol/sdk/inMemory.js');
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    const seen: string[] = [];
    serverSide.onmessage = (message: Json) => void seen.push(`before ${message.id}`);
    await server.connect(serverSide);
    const inner = serverSide.onmessage;
    serverSide.onmessage = (message: Json, extra: Json) => {
      seen.push(`around ${message.id}`);
      inner?.(message, extra);
    };
    const answers: Json[] = [];
    clientSide.onmessage = (message) => void answers.push(message);
    const ask = async (message: Json) => {
      await clientSide.send(message);
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    await ask(call(1, 'admin_dashboard'));
    sessions[0]?.become(admin);
    await ask(call(2, 'admin_dashboard'));
    expect(answers.filter(({ id }) => id !== undefined).map(({ id, result }) => [id, result.isError])).toEqual([
      [1, true],
      [2, undefined],
    ]);
    expect(ran).toEqual(['admin_dashboard']);
    expect(seen).toEqual(['before 1', 'around 1', 'before 2', 'around 2']);
  });
});
