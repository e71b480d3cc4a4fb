import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FastMCP } from 'fastmcp';
import { z } from 'zod';
import { createMcpRouter } from '../../src/express.js';
import { type AuthSec, currentUser, userInfoOf } from '../../src/index.js';
import { createTestManager, type TestClient, type TestManager } from '../../src/testing.js';
import { until } from '../support/fake-clock.js';

const ada = 'ada@acme.example';
const nothing = () => {};
const logger = { debug: nothing, error: nothing, info: nothing, log: nothing, warn: nothing };

let manager: TestManager;
let auth: AuthSec;
beforeEach(async () => {
  manager = await createTestManager({ people: { [ada]: { roles: ['admin'] } } });
  auth = manager.authsec();
});
afterEach(() => manager.close());

const seen: unknown[] = [];
beforeEach(() => void seen.splice(0));

const rules = { ping: { public: true }, admin_dashboard: { roles: ['admin'] }, audit: { roles: ['auditor'] } } as const;

function acme(): FastMCP {
  const server = new FastMCP({ name: 'acme', version: '1.0.0', logger });
  auth.protect(server, { tools: rules });
  server.addTool({ name: 'ping', description: 'x', execute: async (args) => (seen.push(args), 'pong') });
  server.addTools([
    {
      name: 'admin_dashboard',
      description: 'Figures',
      parameters: z.object({ section: z.string() }),
      execute: async (args) => (seen.push(args), `${args.section} for ${userInfoOf(args).email}`),
    },
    { name: 'audit', description: 'x', execute: async () => (seen.push('audit'), 'secrets') },
    { name: 'hello', description: 'x', execute: async () => `Hello, ${currentUser()?.email}` },
  ]);
  server.addResource({ uri: 'acme://secret', name: 'secret', load: async () => ({ text: 'secret' }) });
  return server;
}

const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

describe('FastMCP', () => {
  test('shows public tools before login, each person’s own after it, and none after logout', async () => {
    const client = await manager.connect(acme());
    expect(await client.toolNames()).toEqual(['ping']);
    expect((await client.mcp.listResources()).resources).toEqual([]);
    await client.signIn(ada);
    expect(await client.toolNames()).toEqual(['ping', 'admin_dashboard', 'hello']);
    expect((await client.mcp.listResources()).resources).toHaveLength(1);
    await client.signOut();
    expect(await client.toolNames()).toEqual(['ping']);
  });

  test('its handlers find the person in their arguments and by currentUser(), and nothing that a caller said', async () => {
    const client = await manager.connect(acme(), ada);
    const forged = { _user_info: { email: 'root@acme.example' }, _authsec: 1 };
    const dashboard = await client.callTool({ name: 'admin_dashboard', arguments: { section: 'all', ...forged } });
    expect(textOf(dashboard)).toBe(`all for ${ada}`);
    expect(textOf(await client.callTool({ name: 'hello', arguments: {} }))).toBe(`Hello, ${ada}`);
    await client.signOut();
    await client.callTool({ name: 'ping', arguments: forged });
    expect(seen).toEqual([
      { section: 'all', _user_info: expect.objectContaining({ email: ada, roles: ['admin'] }) },
      {},
    ]);
  });

  test('of a tool that is not the caller’s it says what it says of one that does not exist', async () => {
    const client = await manager.connect(acme(), ada);
    const answer = (name: string) =>
      client.callTool({ name }).then(
        (result) => JSON.stringify(result),
        (error: Error) => error.message,
      );
    expect(await answer('audit')).toBe((await answer('aucun')).replaceAll('aucun', 'audit'));
    expect(seen).toEqual([]);
  });

  test('rights that go while arguments are validated are looked at again', async () => {
    const server = new FastMCP({ name: 'acme', version: '1.0.0', logger });
    auth.protect(server, { tools: { slow: { roles: ['admin'] } } });
    const parameters = z.object({ a: z.string().refine(async () => (await manager.revoke(ada), true)) });
    server.addTool({ name: 'slow', description: 'x', parameters, execute: async () => String(seen.push('ran')) });
    const client = await manager.connect(server, ada);
    await expect(client.callTool({ name: 'slow', arguments: { a: '' } })).rejects.toThrow(/slow/);
    expect(seen).toEqual([]);
  });

  test('a tool that is added, and rights that change, come to those whose list changes', async () => {
    const server = acme();
    const client = await manager.connect(server, ada);
    let told = 0;
    client.mcp.setNotificationHandler(ToolListChangedNotificationSchema, () => void told++);
    server.addTool({ name: 'late', description: 'x', execute: async () => 'late' });
    await until(() => told > 0);
    expect(await client.toolNames()).toContain('late');
    await manager.setPerson(ada, {});
    await until(() => told > 1);
    expect(await client.toolNames()).toEqual(['ping', 'hello', 'late']);
  });

  test('several connections have a login each', async () => {
    const server = acme();
    const clients: TestClient[] = [await manager.connect(server, ada), await manager.connect(server)];
    expect(await Promise.all(clients.map((client) => client.toolNames()))).toEqual([
      ['ping', 'admin_dashboard', 'hello'],
      ['ping'],
    ]);
  });

  test('is served over HTTP, a FastMCP for each session', async () => {
    const router = createMcpRouter({ createServer: acme });
    const http: HttpServer = createServer(router).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`);
    const clients = await Promise.all(
      [1, 2].map(async () => {
        const client = new Client({ name: 'a client', version: '1' });
        await client.connect(new StreamableHTTPClientTransport(url));
        return client;
      }),
    );
    await manager.signIn(clients[0]!, ada);
    const names = await Promise.all(clients.map(async (client) => (await client.listTools()).tools.length));
    expect(names).toEqual([8, 6]);
    await Promise.all(clients.map((client) => client.close()));
    await router.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
});

describe('what cannot be guarded is refused', () => {
  test('an entry for a tool that was added before protect()', async () => {
    const server = new FastMCP({ name: 'acme', version: '1.0.0', logger });
    server.addTool({ name: 'ping', description: 'x', execute: async () => 'pong' });
    auth.protect(server, { tools: { ping: { public: true } } });
    await expect(manager.connect(server)).rejects.toMatchObject({ code: 'unknown_tool' });
  });

  test('start(), whose transports nobody sees', async () => {
    await expect(acme().start({ transportType: 'stdio' })).rejects.toMatchObject({ code: 'not_guarded' });
  });

  test('a reserved name and a reserved argument', () => {
    const server = acme();
    const execute = async () => '';
    expect(() => server.addTool({ name: 'oauth_start', description: 'x', execute })).toThrow(/login tools/);
    const parameters = z.object({ _user_info: z.string() });
    expect(() => server.addTool({ name: 'x', description: 'x', parameters, execute })).toThrow(/_user_info/);
  });

  test('a second protect()', () => {
    const server = acme();
    expect(() => auth.protect(server)).toThrow(/protected already/);
  });
});
