import { createMcpHandler, fromJsonSchema, McpServer, Server } from '@modelcontextprotocol/server';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { type AuthSec, currentUser, userInfoOf } from '../../src/index.js';
import { oauthToolNames } from '../../src/session/caller-session.js';
import { createTestManager, type TestManager } from '../../src/testing.js';
import { until } from '../support/fake-clock.js';

const ada = 'ada@acme.example';
let manager: TestManager;
let auth: AuthSec;
const seen: unknown[] = [];
beforeEach(async () => {
  seen.splice(0);
  manager = await createTestManager({ people: { [ada]: { roles: ['admin'] } } });
  auth = manager.authsec();
});
afterEach(() => manager.close());

const text = (said: string | undefined) => ({ content: [{ type: 'text' as const, text: said ?? 'nobody' }] });
const rules = { ping: { public: true }, admin_dashboard: { roles: ['admin'] }, audit: { roles: ['auditor'] } } as const;

function acme(): McpServer {
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  server.registerTool('ping', {}, () => text('pong'));
  server.registerTool(
    'audit',
    { inputSchema: z.object({ a: z.string() }) },
    () => (seen.push('audit'), text('secrets')),
  );
  auth.protect(server, { tools: rules });
  server.registerTool('admin_dashboard', { inputSchema: z.object({ section: z.string() }) }, (args) => {
    seen.push(args);
    return text(userInfoOf(args).email);
  });
  const anything = fromJsonSchema<{ a?: string }>({ type: 'object', properties: { a: { type: 'string' } } });
  server.registerTool('hello', { inputSchema: anything }, () => text(currentUser()?.email));
  return server;
}

describe('McpServer of the MCP SDK 2.x', () => {
  test('shows public tools before login, each person’s own after it, and none after logout', async () => {
    const client = await manager.connect(acme());
    expect(await client.toolNames()).toEqual(['ping']);
    await client.signIn(ada);
    expect(await client.toolNames()).toEqual(['ping', 'admin_dashboard', 'hello']);
    await client.signOut();
    expect(await client.toolNames()).toEqual(['ping']);
  });

  test('its handlers find the person in their arguments and by currentUser(), and nothing that a caller said', async () => {
    const client = await manager.connect(acme(), ada);
    const args = { section: 'all', _user_info: { email: 'root@acme.example' } };
    expect(await client.callTool({ name: 'admin_dashboard', arguments: args })).toMatchObject(text(ada));
    expect(await client.callTool({ name: 'hello', arguments: {} })).toMatchObject(text(ada));
    expect(seen).toEqual([{ section: 'all', _user_info: expect.objectContaining({ email: ada, roles: ['admin'] }) }]);
  });

  test('of a tool that is not the caller’s it says what it says of one that does not exist', async () => {
    const client = await manager.connect(acme(), ada);
    const answer = (name: string) =>
      client.callTool({ name, arguments: { wrong: 1 } }).then(
        (result) => JSON.stringify(result),
        (error: Error) => error.message,
      );
    expect(await answer('audit')).toBe((await answer('aucun')).replaceAll('aucun', 'audit'));
    expect(seen).toEqual([]);
  });

  test('a tool that is added, and rights that change, come to those whose list changes', async () => {
    const server = acme();
    const client = await manager.connect(server, ada);
    let told = 0;
    client.mcp.setNotificationHandler(ToolListChangedNotificationSchema, () => void told++);
    server.registerTool('late', {}, () => text('late'));
    await until(() => told > 0);
    expect(await client.toolNames()).toContain('late');
    await manager.setPerson(ada, {});
    await until(() => told > 1);
    expect(await client.toolNames()).toEqual(['ping', 'hello', 'late']);
  });

  test('rights that go while arguments are validated are looked at again', async () => {
    const server = new McpServer({ name: 'acme', version: '1' });
    const inputSchema = z.object({ a: z.string().refine(async () => (await manager.revoke(ada), true)) });
    server.registerTool('slow', { inputSchema }, () => (seen.push('ran'), text('done')));
    const client = await manager.connect(auth.protect(server), ada);
    await expect(client.callTool({ name: 'slow', arguments: { a: '' } })).rejects.toThrow(/slow not found/);
    expect(seen).toEqual([]);
  });
});

test('a low-level Server of 2.x gets the person in the arguments', async () => {
  const server = new Server({ name: 'acme', version: '1' }, { capabilities: { tools: {} } });
  const define = (name: string) => ({ name, inputSchema: { type: 'object' as const } });
  server.setRequestHandler('tools/list', () => ({ tools: ['ping', 'admin_dashboard', 'audit'].map(define) }));
  server.setRequestHandler('tools/call', ({ params }) => (seen.push(params.arguments), text(params.name)));
  auth.protect(server, { tools: rules });
  const client = await manager.connect(server, ada);
  expect(await client.toolNames()).toEqual(['ping', 'admin_dashboard']);
  await client.callTool({ name: 'admin_dashboard', arguments: { a: 1, _user_info: 'forged' } });
  expect(seen).toEqual([{ a: 1, _user_info: expect.objectContaining({ email: ada }) }]);
});

describe('createMcpHandler, a server for each request', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'a client', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  async function ask(method: string, params: Record<string, unknown>, create = acme, headers = {}) {
    const handler = createMcpHandler(() => create());
    const response = await handler.fetch(
      new Request('http://127.0.0.1/mcp', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
      }),
    );
    const body = await response.text();
    return { status: response.status, ...JSON.parse(body.replace(/^[\s\S]*?data: /, '')) };
  }
  const call = (name: string, args: object = {}, create = acme) =>
    ask('tools/call', { name, arguments: args }, create, { 'mcp-name': name });

  test('lists and calls nothing but public tools, since no login can be tied to a request', async () => {
    const { result } = await ask('tools/list', {});
    expect(result.tools.map(({ name }: { name: string }) => name)).toEqual([...oauthToolNames, 'ping']);
    expect((await call('ping')).result).toMatchObject(text('pong'));
    expect((await call('oauth_start')).result).toMatchObject({
      structuredContent: { error: 'session_required' },
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'acme', version: '1.0.0' } },
    });
    expect(JSON.stringify(await call('audit'))).toBe(JSON.stringify(await call('aucun')).replaceAll('aucun', 'audit'));
  });

  test('a hidden tool tells nothing by its scope challenge, nor by the headers that it asks for', async () => {
    const challenging = () => {
      const server = new McpServer({ name: 'acme', version: '1.0.0' });
      server.registerTool('audit', { scopeChallenge: () => ({ scope: 'audit:read' }) } as object, () =>
        text('secrets'),
      );
      const region = { type: 'string' as const, 'x-mcp-header': 'Region' };
      const inputSchema = fromJsonSchema<{ region: string }>({
        type: 'object',
        properties: { region },
      });
      server.registerTool('regional', { inputSchema }, () => text('secrets'));
      return auth.protect(server);
    };
    for (const name of ['audit', 'regional']) {
      const hidden = await call(name, { region: 'eu' }, challenging);
      const unknown = await call('aucun', { region: 'eu' }, challenging);
      expect(JSON.stringify(hidden)).toBe(JSON.stringify(unknown).replaceAll('aucun', name));
    }
  });
});
