import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { McpServer as McpServer2, Server as Server2 } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FastMCP } from 'fastmcp';
import { type AuthSec, callContext } from '../../src/index.js';
import { createTestManager, type TestManager } from '../../src/testing.js';

const ada = 'ada@acme.example';
const bob = 'bob@acme.example';
const canary = 'ghp_canary-Token+/1234567890';
const nothing = () => {};
const silent = { debug: nothing, error: nothing, info: nothing, log: nothing, warn: nothing };

let manager: TestManager;
let asked: { url: string; authorization: string | null }[];
beforeEach(async () => {
  asked = [];
  manager = await createTestManager({
    people: { [ada]: { roles: ['developer'] }, [bob]: {} },
    services: {
      github: {
        credential: canary,
        requirement: { roles: ['developer'] },
        answer(request) {
          const authorization = request.headers.get('authorization');
          asked.push({ url: request.url, authorization });
          return Response.json({ login: 'ada', echoed: authorization });
        },
      },
      reports: {
        credential: {
          type: 'database',
          host: 'db.test',
          port: 5432,
          database: 'reports',
          tls: 'disable',
          username: 'v-ada',
          password: canary,
        },
      },
    },
  });
});
afterEach(() => manager.close());

async function listRepositories(): Promise<string> {
  const github = await callContext().services.fetch('github');
  return JSON.stringify(await (await github('user/repos?page=1')).json());
}

async function runReport(): Promise<string> {
  const { host, username, password } = await callContext().services.credential('reports', 'database');
  return `${username}@${host}: ${password}`;
}

const tools = { list_repositories: listRepositories, run_report: runReport };

function mcpServer(auth: AuthSec) {
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  for (const [name, run] of Object.entries(tools)) {
    server.registerTool(name, {}, async () => ({ content: [{ type: 'text', text: await run() }] }));
  }
  return auth.protect(server, { tools: { list_repositories: {}, run_report: {} } });
}

function lowLevelServer(auth: AuthSec) {
  const server = new Server({ name: 'acme', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => ({
    content: [{ type: 'text', text: await tools[params.name as keyof typeof tools]() }],
  }));
  return auth.protect(server, { tools: { list_repositories: {}, run_report: {} } });
}

function mcpServer2(auth: AuthSec) {
  const server = new McpServer2({ name: 'acme', version: '1.0.0' });
  for (const [name, run] of Object.entries(tools)) {
    server.registerTool(name, {}, async () => ({ content: [{ type: 'text', text: await run() }] }));
  }
  return auth.protect(server, { tools: { list_repositories: {}, run_report: {} } });
}

function lowLevelServer2(auth: AuthSec) {
  const server = new Server2({ name: 'acme', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' as const } })),
  }));
  server.setRequestHandler('tools/call', async ({ params }) => ({
    content: [{ type: 'text', text: await tools[params.name as keyof typeof tools]() }],
  }));
  return auth.protect(server, { tools: { list_repositories: {}, run_report: {} } });
}

function fastMcp(auth: AuthSec) {
  const server = new FastMCP({ name: 'acme', version: '1.0.0', logger: silent });
  auth.protect(server, { tools: { list_repositories: {}, run_report: {} } });
  for (const [name, execute] of Object.entries(tools)) server.addTool({ name, description: 'x', execute });
  return server;
}

const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

describe.each([
  ['McpServer 1.x', mcpServer],
  ['a low-level Server 1.x', lowLevelServer],
  ['McpServer 2.x', mcpServer2],
  ['a low-level Server 2.x', lowLevelServer2],
  ['FastMCP', fastMcp],
])('a tool of %s', (_, createServer) => {
  test('uses a service whose secret neither it nor the model sees', async () => {
    const client = await manager.connect(createServer(manager.authsec({ logger: silent })), ada);
    const result = await client.callTool({ name: 'list_repositories', arguments: {} });
    expect(JSON.parse(textOf(result)!)).toEqual({ login: 'ada', echoed: 'Bearer [redacted]' });
    expect(asked).toEqual([{ url: 'https://github.test/user/repos?page=1', authorization: `Bearer ${canary}` }]);
  });

  test('that may not use it answers what a model can act on', async () => {
    const client = await manager.connect(createServer(manager.authsec({ logger: silent })), bob);
    const result = await client.callTool({ name: 'list_repositories', arguments: {} });
    expect(result).toMatchObject({ isError: true });
    // A client would hold it to the tool's output schema.
    expect(result.structuredContent).toBeUndefined();
    expect(JSON.parse(textOf(result)!)).toMatchObject({ error: 'service_denied', next_step: expect.any(String) });
    expect(asked).toEqual([]);
  });

  test('has the account of a database for the time of its call, and cannot say its password', async () => {
    const client = await manager.connect(createServer(manager.authsec({ logger: silent })), ada);
    const result = await client.callTool({ name: 'run_report', arguments: {} });
    expect(textOf(result)).toBe('v-ada@db.test: [redacted]');
    await manager.advance(0);
    expect(manager.openLeases()).toBe(0);
  });
});
