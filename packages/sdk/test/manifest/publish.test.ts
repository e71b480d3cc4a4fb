import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { systemClock } from '../../src/clock.js';
import { protectServer } from '../../src/protect-server.js';
import { createLoginService } from '../../src/session/login-service.js';
import type { ToolRules } from '../../src/tool-registry.js';
import { createService, type Service } from '../support/caller.js';
import { until } from '../support/fake-clock.js';
import { json, problem, startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
const services: Service[] = [];

beforeEach(async () => {
  manager = await startFakeManager();
  manager.setGrants('ada', { roles: ['admin'] });
});
afterEach(async () => {
  manager.comeBack();
  await Promise.all(services.splice(0).map((service) => service.close()));
  await manager.close();
});

function serve(more: Parameters<typeof createService>[1] = {}): Service {
  const service = createService(manager, more);
  services.push(service);
  return service;
}

const rules: ToolRules = { ping: { public: true }, admin_dashboard: { roles: ['admin'] } };
const reply = async () => ({ content: [{ type: 'text' as const, text: 'ok' }] });

function createServer(description = 'Shows all'): McpServer {
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  server.registerTool('ping', { description: 'Answers' }, reply);
  server.registerTool('admin_dashboard', { description, inputSchema: { day: z.string() } }, reply);
  return server;
}

async function connect(service: Service, server: McpServer | Server = createServer(), tools: ToolRules = rules) {
  const { createSession, log: logger, manifests } = service;
  protectServer(server, { tools, createSession, logger, manifests });
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  serverSide.sessionId = `transport-${Math.random()}`;
  const client = new Client({ name: 'test', version: '1' });
  await Promise.all([server.connect(serverSide), client.connect(clientSide)]);
  const callTool = async (name: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name, arguments: args })).structuredContent as Record<string, any>;
  return {
    client,
    server,
    async signIn() {
      const started = await callTool('oauth_start');
      const code = manager.approve(started['authorization_url'], 'ada');
      const answer = await callTool('oauth_authenticate', { session_id: started['session_id'], code });
      expect(answer).toMatchObject({ status: 'authenticated', accessible_tools: ['admin_dashboard'] });
      return [...manager.sessions.values()].at(-1)!;
    },
  };
}
const puts = () => manager.requests.filter(({ method }) => method === 'PUT');
const published = () => [...manager.manifests.keys()];

describe('a server that connects', () => {
  test('publishes all its tools with who may use them, before anyone signed in', async () => {
    await connect(serve());
    await until(() => manager.manifests.size === 1);
    const [[digest = '', body] = []] = manager.manifests;
    expect(puts()[0]!.path).toBe(`/v1/manifests/${digest}`);
    expect(body!.tools).toMatchObject([
      { name: 'admin_dashboard', public: false, requirement: { roles: ['admin'] } },
      { name: 'ping', public: true, requirement: null },
    ]);
  });

  test('publishes once for all sessions of its process, and not at all what the Manager has', async () => {
    const service = serve();
    await connect(service);
    await until(() => manager.manifests.size === 1);
    for (let count = 0; count < 5; count++) await (await connect(service)).signIn();
    const asked = () => manager.count('GET', '/v1/manifests');
    expect([puts().length, asked()]).toEqual([1, 1]);
    await connect(serve());
    await until(() => asked() === 2);
    await (await connect(serve())).signIn();
    expect([puts().length, asked()]).toEqual([1, 3]);
  });

  test('binds each login to the manifest of its own server, in a rolling deploy too', async () => {
    const [before, after] = [serve(), serve()];
    const old = await connect(before, createServer());
    const young = await connect(after, createServer('Shows all, and more'));
    await until(() => manager.manifests.size === 2);
    const sessions = [await old.signIn(), await young.signIn()];
    const [first, second] = published();
    expect(new Set(sessions.map(({ manifestDigest }) => manifestDigest))).toEqual(new Set([first, second]));
    expect(sessions[0]!.manifestDigest).not.toBe(sessions[1]!.manifestDigest);
    const dashboards = [...manager.manifests.values()].map(({ tools }) => tools[0]!);
    expect(dashboards[0]!['description_digest']).not.toBe(dashboards[1]!['description_digest']);
    expect(dashboards[0]!['input_schema_digest']).toBe(dashboards[1]!['input_schema_digest']);
  });

  test('that gets another tool later publishes that too, and tells of its sessions with the next renewal', async () => {
    const connection = await connect(serve());
    await until(() => manager.manifests.size === 1);
    const session = await connection.signIn();
    const [first] = published();
    expect(session.manifestDigest).toBe(first);
    (connection.server as McpServer).registerTool('late', {}, reply);
    await until(() => manager.manifests.size === 2);
    const [, second] = published();
    manager.setGrants('ada', { roles: ['admin', 'another'] });
    await until(() => session.manifestDigest === second, 'the renewal');
  });

  test('of the low-level kind publishes what it lists, all pages', async () => {
    const server = new Server({ name: 'low', version: '1' }, { capabilities: { tools: {} } });
    const tool = (name: string) => ({ name, inputSchema: { type: 'object' as const } });
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) =>
      params?.cursor ? { tools: [tool('second')] } : { tools: [tool('first')], nextCursor: '2' },
    );
    await connect(serve(), server, {});
    await until(() => manager.manifests.size === 1);
    expect([...manager.manifests.values()][0]!.tools.map(({ name }) => name)).toEqual(['first', 'second']);
  });

  test('shows its client nothing of it', async () => {
    const { client } = await connect(serve());
    const seen: unknown[] = [];
    client.fallbackNotificationHandler = async (notification) => void seen.push(notification);
    client.onerror = (error) => void seen.push(error);
    await until(() => manager.manifests.size === 1);
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('admin_dashboard');
    expect(seen).toEqual([]);
  });
});

describe('publishing never stands in the way', () => {
  const isManifest = (path: string) => path.startsWith('/v1/manifests');

  test('while the Manager does not answer it, people sign in and call', async () => {
    let asked = 0;
    manager.intercept(({ path }) => isManifest(path) && asked++ >= 0);
    const connection = await connect(serve());
    await until(() => asked === 1);
    const session = await connection.signIn();
    expect(session.manifestDigest).toMatch(/^[\w-]{43}$/);
    const answer = await connection.client.callTool({ name: 'admin_dashboard', arguments: { day: 'today' } });
    expect(answer.content).toEqual([{ type: 'text', text: 'ok' }]);
    expect(manager.manifests.size).toBe(0);
  });

  test.each([
    ['unavailable', 503, 'tenant_unavailable'],
    ['busy', 429, 'rate_limited'],
  ])('while the Manager is %s it is tried again, until it is done', async (_state, status, code) => {
    let refusals = 3;
    manager.intercept(({ path }, response) => {
      if (!isManifest(path) || refusals-- <= 0) return false;
      problem(response, status, code);
      return true;
    });
    await connect(createFast());
    await until(() => manager.manifests.size === 1);
    expect(manager.count('GET', '/v1/manifests')).toBe(4);
  });

  test.each([
    ['may not', 403, 'insufficient_permission'],
    ['has a Manager without manifests', 404, 'not_found'],
    ['declares what the Manager cannot decide', 422, 'invalid_requirement'],
  ])('a server that %s gives up at once, and says so to its author only', async (_what, status, code) => {
    manager.intercept(({ path }, response) => {
      if (!isManifest(path)) return false;
      problem(response, status, code);
      return true;
    });
    const service = createFast();
    const connection = await connect(service);
    await connection.signIn();
    const told = () => service.lines.filter(({ message }) => message.includes('not published'));
    await until(() => told().length === 1);
    expect(told()).toEqual([expect.objectContaining({ details: expect.objectContaining({ code }) })]);
    expect(manager.requests.filter(({ path }) => isManifest(path))).toHaveLength(1);
  });

  test('an answer that is none is not taken for one that has it', async () => {
    let first = true;
    manager.intercept(({ path, method }, response) => {
      if (!isManifest(path) || method !== 'GET' || !first) return false;
      first = false;
      json(response, 200, { manifests: [{ digest: 'x' }] });
      return true;
    });
    await connect(createFast());
    await until(() => manager.manifests.size === 1);
  });

  test('ends with the service', async () => {
    manager.intercept(({ path }, response) => {
      if (isManifest(path)) problem(response, 503, 'tenant_unavailable');
      return isManifest(path);
    });
    const service = serve();
    await connect(service);
    await until(() => manager.count('GET', '/v1/manifests') === 1);
    await service.close();
    manager.comeBack();
    await connect(serve(), createServer('another'));
    await until(() => manager.manifests.size === 1);
  });
});

/** Does not wait between attempts. */
function createFast(): Service {
  return serve({ random: () => 0 });
}

test('a public client publishes nothing', async () => {
  const { issuer, clientId } = manager;
  const service = createLoginService({ issuer, clientId }, { clock: systemClock, debug: false });
  expect(service.manifests).toBeUndefined();
  await connect({ ...service, lines: [] }, createServer('of a public client'));
  await connect(serve());
  await until(() => manager.manifests.size === 1);
  expect(puts()).toHaveLength(1);
  await service.close();
});
