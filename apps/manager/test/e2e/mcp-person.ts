import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

export interface ToolAnswer {
  readonly isError?: boolean;
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

/** A real MCP client over Streamable HTTP. */
export interface McpPerson {
  readonly sessionId: string | undefined;
  readonly capabilities: ReturnType<Client['getServerCapabilities']>;
  /** In the order of the list. */
  toolNames(): Promise<readonly string[]>;
  call(name: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  /** How many `notifications/tools/list_changed` came so far. */
  listChanges(): number;
  /** Resolves when more than `seen` of them have come. */
  listChangedSince(seen: number, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function connectPerson(mcpUrl: string, name = 'e2e'): Promise<McpPerson> {
  const client = new Client({ name, version: '1.0.0' });
  let changes = 0;
  const waiting = new Set<() => void>();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes += 1;
    waiting.forEach((wake) => wake());
  });
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl));
  await client.connect(transport);
  return {
    sessionId: transport.sessionId,
    capabilities: client.getServerCapabilities(),
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool, args = {}) => (await client.callTool({ name: tool, arguments: args })) as ToolAnswer,
    listChanges: () => changes,
    listChangedSince(seen, withinMs = 40_000) {
      if (changes > seen) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(wake);
          reject(new Error(`no list_changed within ${withinMs} ms`));
        }, withinMs);
        const wake = () => {
          if (changes <= seen) return;
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      });
    },
    async close() {
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
}
