import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  type AuthSecTool,
  mcpTool,
  protectedByAuthSec,
  runMcpServerWithOAuth,
  type RunMcpServerOptions,
  type RunningMcpServer,
  type UserInfo,
  userInfoOf,
} from '../../src/index.js';
import { createTestManager, type TestManager } from '../../src/testing.js';

const ada = 'ada@acme.example';
const nothing = () => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

let manager: TestManager;
let running: RunningMcpServer | undefined;
const clients: Client[] = [];
beforeEach(async () => {
  manager = await createTestManager({ people: { [ada]: { roles: ['admin'], scopes: ['write'] } } });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await running?.close();
  running = undefined;
  await manager.close();
});

async function run(tools: AuthSecTool[], more: Partial<RunMcpServerOptions> = {}): Promise<RunningMcpServer> {
  return (running = await runMcpServerWithOAuth({ ...manager.options, tools, port: 0, logger, ...more }));
}

async function connect({ url }: RunningMcpServer): Promise<Client> {
  const client = new Client({ name: 'a client', version: '1' });
  clients.push(client);
  await client.connect(new StreamableHTTPClientTransport(new URL(url!)));
  return client;
}

const names = async (client: Client) =>
  (await client.listTools()).tools.map(({ name }) => name).filter((name) => !name.startsWith('oauth_'));
const call = async (client: Client, name: string, args: Record<string, unknown> = {}) =>
  (await client.callTool({ name, arguments: args })) as { content: unknown; isError?: boolean };
const text = (said: string) => [{ type: 'text', text: said }];

const hello = protectedByAuthSec('hello', {}, async (args) => [
  { type: 'text', text: `Hello, ${args._user_info.email}!` },
]);
const dashboard = protectedByAuthSec('admin_dashboard', { roles: ['admin'], description: 'Figures' }, () => 'figures');
const audit = protectedByAuthSec('audit', { roles: ['auditor'] }, () => 'secrets');
const ping = mcpTool('ping', {}, ({ _user_info }) => `pong to ${_user_info?.email ?? 'nobody'}`);

describe('runMcpServerWithOAuth', () => {
  test('serves over Streamable HTTP what is public before login, and each person’s own tools after it', async () => {
    const client = await connect(await run([hello, dashboard, audit, ping]));
    expect(await names(client)).toEqual(['ping']);
    expect((await call(client, 'ping')).content).toEqual(text('pong to nobody'));
    await manager.signIn(client, ada);
    expect(await names(client)).toEqual(['hello', 'admin_dashboard', 'ping']);
    expect((await call(client, 'hello')).content).toEqual(text(`Hello, ${ada}!`));
    expect((await call(client, 'admin_dashboard')).content).toEqual(text('figures'));
    expect((await call(client, 'ping')).content).toEqual(text(`pong to ${ada}`));
  });

  test('of a tool that is not the caller’s it says what it says of one that does not exist', async () => {
    const client = await connect(await run([audit]));
    await manager.signIn(client, ada);
    const refused = await call(client, 'audit').catch((error: Error) => error.message);
    const unknown = await call(client, 'aucun').catch((error: Error) => error.message);
    expect(refused).toBe((unknown as string).replaceAll('aucun', 'audit'));
  });

  test('each MCP session has its own login', async () => {
    const server = await run([hello]);
    const [one, two] = [await connect(server), await connect(server)];
    await manager.signIn(one, ada);
    expect(await names(one)).toEqual(['hello']);
    expect(await names(two)).toEqual([]);
  });

  test('what a caller says of itself reaches no handler', async () => {
    const seen: unknown[] = [];
    const spy = mcpTool('spy', {}, (args) => String(seen.push(args)));
    const strict = mcpTool('strict', { inputSchema: z.strictObject({ a: z.number() }) }, (args) =>
      String(seen.push(args)),
    );
    const client = await connect(await run([spy, strict]));
    const forged = { _user_info: { email: 'root@acme.example' }, _authsec: 1 };
    await call(client, 'spy', { a: 1, ...forged });
    await call(client, 'strict', { a: 1, ...forged });
    expect(seen).toEqual([{ a: 1 }, { a: 1 }]);
  });

  test('a change of rights and the end of the login count at once', async () => {
    const client = await connect(await run([hello, dashboard]));
    await manager.signIn(client, ada);
    await manager.setPerson(ada, {});
    expect(await names(client)).toEqual(['hello']);
    await manager.revoke(ada);
    expect(await names(client)).toEqual([]);
  });

  test('rights that go while arguments are validated are looked at again', async () => {
    let ran = false;
    const slow = z.object({ a: z.string().refine(async () => (await manager.revoke(ada), true)) });
    const tool = protectedByAuthSec('slow', { inputSchema: slow }, () => ((ran = true), 'done'));
    const client = await connect(await run([tool]));
    await manager.signIn(client, ada);
    await expect(call(client, 'slow', { a: '' })).rejects.toThrow(/Unknown tool: slow/);
    expect(ran).toBe(false);
  });

  test('listens where it is told and nowhere else', async () => {
    const { url } = await run([ping], { host: '127.0.0.1', path: '/' });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect((await fetch(new URL('/elsewhere', url))).status).toBe(404);
    expect((await fetch(url!, { headers: { Host: 'evil.example' } })).status).not.toBe(200);
    await running?.close();
    await expect(fetch(url!)).rejects.toThrow();
  });

  test('fails where it cannot listen, and leaves nothing behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const before = process.listenerCount('SIGTERM');
    await expect(run([ping], { port })).rejects.toThrow(/EADDRINUSE/);
    expect(process.listenerCount('SIGTERM')).toBe(before);
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('the settings', () => {
  const env = ['AUTHSEC_ISSUER', 'AUTHSEC_CLIENT_ID', 'AUTHSEC_CLIENT_SECRET'] as const;
  afterEach(() => {
    for (const name of env) delete process.env[name];
  });

  test('come from the environment too', async () => {
    const { issuer, clientId, clientSecret, fetch: toManager } = manager.options;
    process.env['AUTHSEC_ISSUER'] = issuer;
    process.env['AUTHSEC_CLIENT_ID'] = clientId;
    process.env['AUTHSEC_CLIENT_SECRET'] = clientSecret;
    running = await runMcpServerWithOAuth({ tools: [hello], port: 0, logger, fetch: toManager });
    const client = await connect(running);
    await manager.signIn(client, ada);
    expect(await names(client)).toEqual(['hello']);
  });

  test.each(env.map((name) => [name]))('%s is named when it is in neither', async (missing) => {
    for (const name of env) if (name !== missing) process.env[name] = manager.options.issuer;
    await expect(runMcpServerWithOAuth({ tools: [] })).rejects.toThrow(missing);
  });

  test.each([
    [{ path: 'mcp' }, /^path: /],
    [{ tools: undefined }, /^tools: /],
    [{ cliendId: 'x' }, /^cliendId: no such option/],
    [{ issuer: 'nowhere' }, /^issuer: /],
    [{ maxSessions: 0 }, /^maxSessions /],
    [{ tools: [ping, ping] }, /^tools: two are called "ping"/],
  ])('%j is refused by name', async (wrong, message) => {
    const running = run([ping], wrong as Partial<RunMcpServerOptions>);
    await expect(running).rejects.toThrow(message);
    await expect(running).rejects.toThrow(TypeError);
  });
});

describe('over stdio', () => {
  const file = join(import.meta.dirname, 'stdio-server.mjs');

  test('serves the process’s own input and output, and nothing else is written there', async () => {
    const client = new Client({ name: 'a client', version: '1' });
    clients.push(client);
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [file], stderr: 'ignore' }));
    expect(await names(client)).toEqual(['ping']);
    expect((await call(client, 'ping')).content).toEqual(text('pong'));
  });

  test('ends with its input', async () => {
    const child = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends by the signal that it is sent, once its logins are ended', async () => {
    const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize })}\n`);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });
});

test('userInfoOf knows the person of these arguments', async () => {
  const who: UserInfo[] = [];
  const tool = protectedByAuthSec('who', {}, (args) => String(who.push(userInfoOf(args))));
  const client = await connect(await run([tool]));
  await manager.signIn(client, ada);
  await call(client, 'who');
  expect(who[0]).toMatchObject({ email: ada, roles: ['admin'], scopes: ['write'] });
  expect(Object.isFrozen(who[0])).toBe(true);
});
