import { describe, expect, test } from '@jest/globals';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { z as z3 } from 'zod/v3';
import { AuthSecError } from '../../src/authsec-error.js';
import { type ProtectServerOptions, protectServer } from '../../src/protect-server.js';
import { createFakeSession } from './fake-session.js';
import { createLog, newServer } from './raw-client.js';

const nothing = () => ({ content: [] });
const code = (expected: string) => expect.objectContaining({ constructor: AuthSecError, code: expected });

function protect(server: McpServer | Server, options: Partial<ProtectServerOptions> = {}) {
  return protectServer(server, { logger: createLog(), createSession: createFakeSession, ...options });
}
const connect = (server: McpServer | Server) => server.connect(InMemoryTransport.createLinkedPair()[1]);

describe('tools', () => {
  test.each<[string, any, string]>([
    ['two lists without requireAll', { roles: ['a'], scopes: ['b'] }, 'ambiguous_requirement'],
    ['public together with a requirement', { public: true, roles: ['a'] }, 'ambiguous_requirement'],
    ['public together with an empty key', { public: true, roles: undefined }, 'ambiguous_requirement'],
    ['an empty list', { roles: [] }, 'invalid_requirement'],
    ['an unknown key', { role_names: ['a'] }, 'invalid_requirement'],
    ['a wildcard that is required', { permissions: ['projects:*'] }, 'invalid_requirement'],
  ])('%s is refused', (_, rule, expected) => {
    const server = newServer();
    server.registerTool('t', {}, nothing);
    expect(() => protect(server, { tools: { t: rule } })).toThrow(code(expected));
  });

  test.each<[string, any]>([
    ['public: false', { public: false }],
    ['a list of rules', [{ roles: ['a'] }]],
    ['no rule', undefined],
    ['a word', 'admin'],
  ])('%s is a TypeError that names the tool', (_, rule) => {
    const server = newServer();
    server.registerTool('some_tool', {}, nothing);
    expect(() => protect(server, { tools: { some_tool: rule } })).toThrow(/some_tool/);
  });

  test('rules that could be lost by the way they are given are refused', () => {
    expect(() => protect(newServer(), { tools: new Map([['t', {}]]) as never })).toThrow(TypeError);
    expect(() => protect(newServer(), { tools: { __proto__: { t: {} } } as never })).toThrow(TypeError);
    expect(() => protect(newServer(), { tools: Object.create({ t: {} }) as never })).toThrow(TypeError);
  });

  test('an entry for a tool that is not registered when the server connects is refused, with a hint', async () => {
    const server = newServer();
    protect(server, { tools: { 'admin-dashboard': { roles: ['admin'] } } });
    server.registerTool('admin_dashboard', {}, nothing);
    await expect(connect(server)).rejects.toThrow(code('unknown_tool'));
    await expect(connect(server)).rejects.toThrow(/did you mean "admin_dashboard"/);
  });

  test('tools registered between protect and connect count', async () => {
    const server = newServer();
    protect(server, { tools: { admin_dashboard: { roles: ['admin'] } } });
    server.registerTool('admin_dashboard', {}, nothing);
    await connect(server);
    await server.close();
  });

  test('tools registered after connect are announced, and checked then', async () => {
    expect(() => protect(newServer(), { tools: { late: {} }, lateTools: ['lat'] })).toThrow(code('unknown_tool'));
    const server = newServer();
    protect(server, { tools: { late: { roles: ['admin'] } }, lateTools: ['late'] });
    await connect(server);
    expect(() => server.registerTool('Late', {}, nothing)).toThrow(code('unknown_tool'));
    server.registerTool('late', {}, nothing);
    server.registerTool('another', {}, nothing);
    await server.close();
  });

  test('a rename that would lose the entry is refused', () => {
    const server = newServer();
    const tool = server.registerTool('admin_dashboard', {}, nothing);
    protect(server, { tools: { admin_dashboard: { roles: ['admin'] }, dashboard: { roles: ['admin'] } } });
    expect(() => tool.update({ name: 'admin_panel' })).toThrow(code('unknown_tool'));
    tool.update({ name: 'dashboard' });
  });
});

describe('what belongs to AuthSec', () => {
  test.each(['oauth_start', 'oauth_anything', 'OAuth_Login'])('a tool named %s is refused, early and late', (name) => {
    const early = newServer();
    early.registerTool(name, {}, nothing);
    expect(() => protect(early)).toThrow(code('reserved_tool_name'));
    const late = newServer();
    const tool = late.registerTool('t', {}, nothing);
    protect(late);
    expect(() => late.registerTool(name, {}, nothing)).toThrow(code('reserved_tool_name'));
    expect(() => tool.update({ name })).toThrow(code('reserved_tool_name'));
    expect(() => protect(newServer(), { tools: { [name]: {} } })).toThrow(code('reserved_tool_name'));
  });

  const declared = { _user_info: z.string() };
  test.each<[string, any]>([
    ['a shape', declared],
    ['an _authsec shape', { _authsec_anything: z.string() }],
    ['an object', z.object(declared)],
    ['an optional object', z.object(declared).optional()],
    ['a union', z.union([z.object({}), z.object(declared)])],
    [
      'a discriminated union',
      z.discriminatedUnion('k', [z.object({ k: z.literal('a'), ...declared }), z.object({ k: z.literal('b') })]),
    ],
    ['an intersection', z.intersection(z.object({}), z.object(declared))],
    ['a preprocessed object', z.preprocess((value) => value, z.object(declared))],
    ['a transformed object', z.object(declared).transform((value) => value)],
    ['a lazy object', z.lazy(() => z.object(declared))],
    ['a zod 3 shape', { _user_info: z3.string() }],
    ['a zod 3 object', z3.object({ _user_info: z3.string() })],
    ['a zod 3 refined object', z3.object({ _user_info: z3.string() }).refine(() => true)],
  ])('a schema that declares _user_info is refused: %s', (_, inputSchema) => {
    const early = newServer();
    early.registerTool('t', { inputSchema }, nothing as never);
    expect(() => protect(early)).toThrow(code('reserved_argument'));
    const late = newServer();
    const tool = late.registerTool('other', {}, nothing);
    protect(late);
    expect(() => late.registerTool('t', { inputSchema }, nothing as never)).toThrow(code('reserved_argument'));
    expect((late as any)._registeredTools.t).toBeUndefined();
    expect(() => tool.update({ paramsSchema: { _user_info: z.string() }, callback: nothing as never })).toThrow(
      code('reserved_argument'),
    );
  });

  test('deeper down the name is the author’s', () => {
    const server = newServer();
    server.registerTool(
      't',
      { inputSchema: { person: z.object(declared), _user: z.string(), authsec: z.string() } },
      nothing,
    );
    protect(server);
  });
});

describe('the order of things', () => {
  test('protect after connect is refused', async () => {
    const server = newServer();
    await connect(server);
    expect(() => protect(server)).toThrow(code('already_connected'));
  });

  test('a second protect is refused, also by way of the inner server', () => {
    const server = newServer();
    protect(server);
    expect(() => protect(server)).toThrow(code('already_protected'));
    expect(() => protect(server.server)).toThrow(code('already_protected'));
  });

  test('a transport that another protected server has is refused', async () => {
    const [, transport] = InMemoryTransport.createLinkedPair();
    const first = newServer();
    protect(first);
    await first.connect(transport);
    const second = newServer();
    protect(second);
    await expect(second.connect(transport)).rejects.toThrow(code('transport_already_guarded'));
    await first.close();
  });

  test('a second connect is what the MCP SDK makes of it', async () => {
    const server = newServer();
    protect(server);
    await connect(server);
    await expect(connect(server)).rejects.toThrow(/Already connected/);
    await server.close();
  });

  test('a server that was closed may connect again, with a login of its own', async () => {
    const server = newServer();
    const sessions: ReturnType<typeof createFakeSession>[] = [];
    protect(server, {
      createSession(guarded) {
        const session = createFakeSession(guarded);
        sessions.push(session);
        return session;
      },
    });
    await connect(server);
    await server.close();
    await connect(server);
    await server.close();
    expect(sessions.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  test('a connection that fails ends its session', async () => {
    const server = newServer();
    let session: ReturnType<typeof createFakeSession> | undefined;
    protect(server, { createSession: (guarded) => (session = createFakeSession(guarded)) });
    const [, transport] = InMemoryTransport.createLinkedPair();
    transport.start = () => Promise.reject(new Error('no'));
    await expect(server.connect(transport)).rejects.toThrow('no');
    expect(session?.closed).toBe(1);
  });
});

describe('another MCP SDK', () => {
  test.each(['_registeredTools', '_createRegisteredTool', 'setToolRequestHandlers', '_toolHandlersInitialized'])(
    'without %s is refused with the versions that are guarded',
    (field) => {
      const server = newServer();
      Object.defineProperty(server, field, { value: undefined });
      expect(() => protect(server)).toThrow(code('unsupported_mcp_sdk'));
      expect(() => protect(server)).toThrow(/>=1\.32\.0 <2/);
    },
  );

  test('what is no server is a TypeError', () => {
    for (const value of [{}, { server: {} }, { connect() {} }]) expect(() => protect(value as never)).toThrow();
  });
});
