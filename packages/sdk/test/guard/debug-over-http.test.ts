import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import express from 'express';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createMcpRouter } from '../../src/express.js';
import type { Logger } from '../../src/index.js';
import { createTestManager, type TestManager } from '../../src/testing.js';

type Line = readonly [message: string, details: Readonly<Record<string, unknown>> | undefined];

let manager: TestManager;
let url: URL;
let lines: Line[];
/** Bodies that went to clients. */
let sent: string;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  lines = [];
  sent = '';
  const note = (message: string, details?: Readonly<Record<string, unknown>>) => void lines.push([message, details]);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  manager = await createTestManager({
    people: { 'ada@acme.example': { roles: ['Admin'], permissions: ['projects:read'] }, 'bob@acme.example': {} },
  });
  const auth = manager.authsec({ logger });
  const router = createMcpRouter({
    createServer() {
      const server = new McpServer({ name: 'acme', version: '1.0.0' });
      server.registerTool('dashboard', {}, () => ({ content: [] }));
      return auth.protect(server, { tools: { dashboard: { roles: ['admin'] } } });
    },
  });
  const server = createServer(express().use('/mcp', router));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  closers.push(async () => {
    await router.close();
    server.closeAllConnections();
    server.close();
    await manager.close();
  });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function connect(email: string): Promise<{ client: Client; sessionId: string | undefined }> {
  const transport = new StreamableHTTPClientTransport(url, {
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (init?.method === 'POST') sent += await answer.clone().text();
      return answer;
    },
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  closers.push(() => client.close());
  await client.connect(transport);
  await manager.signIn(client, email);
  return { client, sessionId: transport.sessionId };
}

const about = (text: string) => lines.filter(([message]) => message.includes(text));

test('who looks why a tool is hidden sees whose list it is and what they hold, of each person at the same server', async () => {
  const ada = await connect('ada@acme.example');
  const bob = await connect('bob@acme.example');
  lines = [];
  await ada.client.listTools();
  await bob.client.listTools();
  const [adas, bobs] = about('are listed').map(([, details]) => details);
  expect(adas).toMatchObject({ tenant: 'acme', roles: ['Admin'], permissions: ['projects:read'] });
  expect(bobs).toMatchObject({ tenant: 'acme', roles: [], permissions: [] });
  const needed = 'not listed: "dashboard" is denied (role_missing). Missing: the role "admin".';
  expect(about('not listed')).toEqual([
    [needed, { sub: adas?.['sub'], tenant: 'acme' }],
    [needed, { sub: bobs?.['sub'], tenant: 'acme' }],
  ]);
  expect(adas?.['sub']).not.toBe(bobs?.['sub']);
});

test('no client is told any of it, and nothing that a client proves itself with is in it', async () => {
  const { client, sessionId } = await connect('bob@acme.example');
  await client.listTools();
  const answer = await client.callTool({ name: 'dashboard', arguments: { secret: 'canary' } });
  expect(answer.isError).toBe(true);
  const said = JSON.stringify(lines);
  for (const [message] of [...about('not listed'), ...about('is denied')]) expect(sent).not.toContain(message);
  for (const told of ['role_missing', 'Missing', 'admin']) {
    expect(said).toContain(told);
    expect(sent).not.toContain(told);
  }
  expect(sessionId).toMatch(/.{20,}/);
  for (const secret of [String(sessionId), 'canary', 'eyJ', 'Bearer']) expect(said).not.toContain(secret);
});
