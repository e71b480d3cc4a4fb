import { context, propagation, type SpanContext, trace } from '@opentelemetry/api';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { jest } from '@jest/globals';
import type { ToolDecision } from '../../src/guard/observe-call.js';
import { protectServer } from '../../src/protect-server.js';
import { createFakeSession, type FakeSession } from '../guard/fake-session.js';
import { openRawClient, type RawClient } from '../guard/raw-client.js';

export interface Connected {
  readonly client: RawClient;
  readonly session: FakeSession;
  readonly onDecision: jest.Mock<(decision: ToolDecision) => void>;
  /** The span in which each handler ran. */
  readonly seen: (SpanContext | undefined)[];
  readonly baggage: unknown[];
  close(): Promise<void>;
}

/** A guarded server with a few tools, and a client that speaks bare JSON-RPC. */
export async function connectRaw(): Promise<Connected> {
  const server = new McpServer({ name: 'test', version: '1.0.0' });
  const seen: (SpanContext | undefined)[] = [];
  const baggage: unknown[] = [];
  const onDecision = jest.fn<(decision: ToolDecision) => void>();
  server.registerTool('dashboard', {}, async () => {
    await Promise.resolve();
    seen.push(trace.getSpanContext(context.active()));
    baggage.push(propagation.getBaggage(context.active()));
    return { content: [{ type: 'text', text: 'done' }] };
  });
  server.registerTool('broken', {}, () => {
    throw new Error('canary-failure');
  });
  server.registerTool('forever', {}, () => new Promise(() => {}));
  let session: FakeSession | undefined;
  const rules = { dashboard: { roles: ['admin'] } };
  protectServer(server, {
    tools: rules,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    onDecision,
    createSession: (guarded) => (session = createFakeSession(guarded)),
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = openRawClient(near);
  await server.connect(far);
  await client.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1.0.0' },
  });
  if (!session) throw new Error('no session was made');
  return { client, session, onDecision, seen, baggage, close: () => server.close() };
}
