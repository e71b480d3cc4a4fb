import { afterEach, expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { stdinOf } from '../../src/guard/stdio-transport.js';
import { protectServer } from '../../src/protect-server.js';
import type { GuardedServer } from '../../src/session/caller-session.js';
import { createFakeSession } from './fake-session.js';

const servers: McpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const log = { debug() {}, info() {}, warn() {}, error() {} };

async function connect(transport: Parameters<McpServer['connect']>[0]) {
  const server = new McpServer({ name: 'test', version: '1.0.0' });
  servers.push(server);
  server.registerTool('ping', {}, async () => ({ content: [] }));
  let guarded: GuardedServer | undefined;
  let closed = 0;
  protectServer(server, {
    tools: { ping: { public: true } },
    logger: log,
    createSession(own) {
      guarded = own;
      return {
        ...createFakeSession(own),
        async close() {
          closed++;
        },
      };
    },
  });
  await server.connect(transport);
  return { isLocal: () => guarded?.isLocal?.(), closed: () => closed };
}

test('a server on stdio is told to be local, and every other is not', async () => {
  const stdio = new StdioServerTransport(new PassThrough(), new PassThrough());
  expect((await connect(stdio)).isLocal()).toBe(true);
  expect((await connect(InMemoryTransport.createLinkedPair()[0])).isLocal()).toBe(false);
  const http = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  expect((await connect(http as Parameters<McpServer['connect']>[0])).isLocal()).toBe(false);
});

test.each([
  {},
  { _stdin: {}, _stdout: {} },
  { _stdin: new PassThrough() },
  { _stdin: 'stdin', _stdout: 'stdout' },
  { _stdin: null, _stdout: null },
])('%j is not the transport of stdio', (transport) => {
  expect(stdinOf(transport)).toBeUndefined();
});

test('the end of standard input ends the session, once, though the transport does not say so', async () => {
  const stdin = new PassThrough();
  const { closed } = await connect(new StdioServerTransport(stdin, new PassThrough()));
  expect(closed()).toBe(0);
  stdin.end();
  await once(stdin, 'close');
  expect(closed()).toBe(1);
});
