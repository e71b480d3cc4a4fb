import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

export interface ToolAnswer {
  readonly isError?: boolean;
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

/** The code of an answer that says what went wrong; undefined for any other. */
export function errorOf({ isError, structuredContent, content }: ToolAnswer): string | undefined {
  if (!isError) return undefined;
  try {
    const said = structuredContent ?? (JSON.parse(content[0]?.text ?? '') as Record<string, unknown>);
    return typeof said['error'] === 'string' ? said['error'] : undefined;
  } catch {
    return undefined;
  }
}

/** A real MCP client. */
export interface McpPerson {
  readonly sessionId: string | undefined;
  readonly capabilities: ReturnType<Client['getServerCapabilities']>;
  /** In the order of the list. */
  toolNames(): Promise<readonly string[]>;
  /** `meta` goes along as `_meta`. */
  call(name: string, args?: Record<string, unknown>, meta?: Record<string, unknown>): Promise<ToolAnswer>;
  /** How many `notifications/tools/list_changed` came so far. */
  listChanges(): number;
  /** Resolves when more than `seen` of them have come. */
  listChangedSince(seen: number, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Over Streamable HTTP. */
export async function connectPerson(mcpUrl: string, name = 'e2e'): Promise<McpPerson> {
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl));
  const person = await connectOver(transport, name);
  return {
    ...person,
    sessionId: transport.sessionId,
    async close() {
      await transport.terminateSession().catch(() => {});
      await person.close();
    },
  };
}

export interface StdioServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface StdioPerson extends McpPerson {
  readonly pid: number;
  /** What the server wrote to standard error so far. */
  stderr(): string;
}

/** Starts the server and speaks to it over its standard streams; the person's state folder is below `home`. */
export async function connectOverStdio({ command, args, env }: StdioServer, home: string): Promise<StdioPerson> {
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env, HOME: home, XDG_STATE_HOME: `${home}/state` },
    stderr: 'pipe',
  });
  let text = '';
  transport.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // What is no message on standard output is an error of the transport.
  const noise: Error[] = [];
  const person = await connectOver(transport, 'e2e over stdio', (error) => noise.push(error));
  return {
    ...person,
    pid: transport.pid ?? 0,
    stderr: () => text,
    async close() {
      await person.close();
      if (noise.length > 0) throw new AggregateError(noise, 'something else came over standard output');
    },
  };
}

async function connectOver(
  transport: Parameters<Client['connect']>[0],
  name: string,
  onError: (error: Error) => void = () => {},
): Promise<McpPerson> {
  const client = new Client({ name, version: '1.0.0' });
  let changes = 0;
  const waiting = new Set<() => void>();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes += 1;
    waiting.forEach((wake) => wake());
  });
  client.onerror = onError;
  await client.connect(transport);
  return {
    sessionId: undefined,
    capabilities: client.getServerCapabilities(),
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool, args = {}, meta) =>
      (await client.callTool({ name: tool, arguments: args, ...(meta && { _meta: meta }) })) as ToolAnswer,
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
    close: () => client.close(),
  };
}
