import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FastMCP } from 'fastmcp';
import { protectServer } from '../../src/protect-server.js';
import { loadOpenTelemetry } from '../../src/telemetry/open-telemetry.js';
import { createTestManager } from '../../src/testing.js';
import { createFakeSession, type FakeSession, unjudgeable } from '../guard/fake-session.js';
import { openRawClient } from '../guard/raw-client.js';
import { recordTelemetry } from './recorded.js';

const { spans, exportedMetrics, reader } = recordTelemetry();
const nothing = () => {};
const logger = { debug: nothing, error: nothing, info: nothing, log: nothing, warn: nothing };

beforeAll(async () => {
  await loadOpenTelemetry();
});
afterAll(() => reader.shutdown());
beforeEach(() => spans.reset());

async function told(): Promise<string> {
  await reader.forceFlush();
  const recorded = spans.getFinishedSpans().map(({ name, attributes }) => ({ name, attributes }));
  return JSON.stringify([recorded, exportedMetrics.getMetrics().at(-1)?.scopeMetrics]);
}

test('a framework’s tools are labels, and names that somebody made up are none, signed in or not', async () => {
  const ada = 'ada@acme.example';
  const manager = await createTestManager({ people: { [ada]: { roles: ['admin'] } } });
  try {
    const server = new FastMCP({ name: 'acme', version: '1.0.0', logger });
    manager.authsec().protect(server, { tools: { dashboard: { roles: ['admin'] } } });
    server.addTool({ name: 'dashboard', description: 'x', execute: async () => 'figures' });
    server.addTool({ name: 'hello', description: 'x', execute: async () => 'hello' });
    const client = await manager.connect(server);
    await client.callTool({ name: 'canary-of-nobody' }).catch(nothing);
    await client.callTool({ name: 'dashboard' }).catch(nothing);
    await client.signIn(ada);
    await client.callTool({ name: 'canary-of-a-person' }).catch(nothing);
    await client.callTool({ name: 'hello' });
    expect(await told()).not.toContain('canary');
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tools/call dashboard', 'tools/call hello', 'tools/call']),
    );
  } finally {
    await manager.close();
  }
});

test('a low-level server is not asked what it has while rights cannot be judged: only a declared name is a label', async () => {
  const server = new Server({ name: 'low', version: '1.0.0' }, { capabilities: { tools: {} } });
  const tools = ['dashboard', 'hello'].map((name) => ({ name, inputSchema: { type: 'object' as const } }));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, () => ({ content: [] }));
  let session: FakeSession | undefined;
  protectServer(server, {
    tools: { dashboard: { roles: ['admin'] } },
    logger,
    createSession: (guarded) => (session = createFakeSession(guarded)),
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = openRawClient(near);
  await server.connect(far);
  session?.become(unjudgeable('ada@acme.test', { roles: ['admin'] }));
  for (const name of ['canary-of-a-person', 'dashboard']) await client.call(name);
  expect(await told()).not.toContain('canary');
  expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['tools/call', 'tools/call dashboard']);
  await server.close();
});
