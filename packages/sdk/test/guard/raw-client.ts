import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Logger } from '../../src/author-log.js';
import { protectServer } from '../../src/protect-server.js';
import type { ToolRules } from '../../src/tool-registry.js';
import { type FakeSession, createFakeSession } from './fake-session.js';

export type Json = any;

/** Speaks bare JSON-RPC over an in-memory pair, every message through real JSON text. */
export interface RawClient {
  readonly received: Json[];
  send(message: unknown): void;
  /** The answer, whole. */
  request(method: string, params?: unknown, id?: string | number): Promise<Json>;
  call(name: string, args?: unknown, more?: Record<string, unknown>): Promise<Json>;
  list(): Promise<string[]>;
  notifications(method?: string): Json[];
  /** Resolves once all that was on its way has come. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export function openRawClient(transport: InMemoryTransport): RawClient {
  const received: Json[] = [];
  const waiting = new Map<unknown, (message: Json) => void>();
  let nextId = 1_000;
  transport.onmessage = (message) => {
    const parsed = JSON.parse(JSON.stringify(message));
    received.push(parsed);
    if ('method' in parsed) return;
    waiting.get(parsed.id)?.(parsed);
    waiting.delete(parsed.id);
  };
  const client: RawClient = {
    received,
    send: (message) => void transport.send(JSON.parse(JSON.stringify(message))),
    request(method, params, id = nextId++) {
      const answer = new Promise<Json>((resolve) => waiting.set(id, resolve));
      client.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
      return answer;
    },
    call: (name, args, more = {}) =>
      client.request('tools/call', { name, ...(args === undefined ? {} : { arguments: args }), ...more }),
    async list() {
      const { result } = await client.request('tools/list', {});
      return result.tools.map((tool: Json) => tool.name);
    },
    notifications: (method) =>
      received.filter((message) => 'method' in message && (method === undefined || message.method === method)),
    async settle() {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
    close: () => transport.close(),
  };
  return client;
}

export const initializeParams = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'raw client', version: '1' },
};

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export function createLog(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (message: string) => void lines.push({ level, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface Guarded {
  readonly client: RawClient;
  readonly session: FakeSession;
  readonly log: ReturnType<typeof createLog>;
  readonly initialized: Json;
}

/** Protects, connects and initializes a server. */
export async function connectGuarded(
  server: McpServer | Server,
  options: { tools?: ToolRules; lateTools?: readonly string[] } = {},
): Promise<Guarded> {
  const log = createLog();
  let session: FakeSession | undefined;
  protectServer(server, {
    ...options,
    logger: log,
    createSession: (guarded) => (session = createFakeSession(guarded)),
  });
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const client = openRawClient(clientSide);
  await clientSide.start();
  await server.connect(serverSide);
  const initialized = await client.request('initialize', initializeParams);
  client.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await client.settle();
  return { client, session: session!, log, initialized };
}

export function newServer(capabilities: Json = {}): McpServer {
  return new McpServer({ name: 'acme', version: '1.0.0' }, { capabilities });
}
