import { AuthSecError } from '../authsec-error.js';
import type { FrameworkServer } from './framework-server.js';
import type { GuardableTransport } from './transport-hooks.js';

/** `Server` of the MCP SDK, or what an `McpServer` has as `.server`: structural, so that no MCP SDK is imported. */
export interface LowLevelServer {
  connect(transport: never): Promise<void>;
  assertCanSetRequestHandler(method: never): void;
}

/** `McpServer` of the MCP SDK. */
export interface HighLevelServer {
  readonly server: LowLevelServer;
  connect(transport: never): Promise<void>;
}

/** What `protect()` takes: an `McpServer`, a low-level `Server`, or a framework on them such as FastMCP. */
export type ProtectableServer = LowLevelServer | HighLevelServer | FrameworkServer;

/** A tool as `McpServer` keeps it. */
export interface RegisteredTool {
  handler: unknown;
  readonly enabled: boolean;
  readonly inputSchema?: unknown;
  readonly title?: unknown;
  readonly description?: unknown;
  readonly outputSchema?: unknown;
  readonly annotations?: unknown;
  readonly _meta?: unknown;
  update: (changes: ToolChanges) => void;
}
export interface ToolChanges {
  readonly name?: string | null;
  readonly callback?: unknown;
  readonly paramsSchema?: unknown;
}

type CreateRegisteredTool = (...definition: unknown[]) => RegisteredTool;

interface McpServerInternals {
  readonly server: LowLevelServer;
  readonly _registeredTools: Readonly<Record<string, RegisteredTool>>;
  readonly _toolHandlersInitialized: boolean;
  _createRegisteredTool: CreateRegisteredTool;
  setToolRequestHandlers(): void;
  /** 2.x, before a message is dispatched. */
  resolveScopeChallenge?: (context: unknown) => unknown;
  toolInputSchemaJson?: (name: string) => unknown;
}

/** The server behind either class. */
export interface OpenedServer {
  readonly inner: LowLevelServer & { readonly transport?: unknown };
  /** Undefined for a low-level server, which lists its tools itself. */
  readonly highLevel: McpServerInternals | undefined;
  /** Whether the server has a request handler for the method. */
  readonly handles: (method: string) => boolean;
  /** `more` is for frameworks, whose connect takes and answers more. */
  connect(transport: GuardableTransport, ...more: unknown[]): Promise<unknown>;
}

const supported = '@modelcontextprotocol/sdk >=1.32.0 <2 and @modelcontextprotocol/server >=2.4.0 <3';

/** Finds what the guard needs of the server; throws `unsupported_mcp_sdk` where a private field is missing, a TypeError for what is no server. */
export function openServer(server: LowLevelServer | HighLevelServer): OpenedServer {
  const high = 'server' in server ? (server as unknown as McpServerInternals) : undefined;
  const inner = (high?.server ?? server) as OpenedServer['inner'];
  for (const method of ['connect', 'assertCanSetRequestHandler'] as const) {
    if (typeof (inner as Partial<LowLevelServer> | undefined)?.[method] === 'function') continue;
    if (high) throw unsupported(`server.${method}`);
    throw new TypeError('server must be an McpServer or a Server of the MCP SDK');
  }
  if (high) {
    if (typeof high._registeredTools !== 'object' || high._registeredTools === null)
      throw unsupported('_registeredTools');
    if (typeof high._createRegisteredTool !== 'function') throw unsupported('_createRegisteredTool');
    if (typeof high.setToolRequestHandlers !== 'function') throw unsupported('setToolRequestHandlers');
    if (typeof high._toolHandlersInitialized !== 'boolean') throw unsupported('_toolHandlersInitialized');
    answerNothingBefore(high);
  }
  const connect = inner.connect.bind(inner) as (transport: unknown) => Promise<void>;
  return {
    inner,
    highLevel: high,
    connect,
    handles(method) {
      try {
        inner.assertCanSetRequestHandler(method as never);
        return false;
      } catch {
        return true;
      }
    },
  };
}

/** 2.x answers over HTTP from what a tool declares, before the guard sees the message: it would tell of tools that are hidden. */
function answerNothingBefore(server: McpServerInternals): void {
  if (server.resolveScopeChallenge) server.resolveScopeChallenge = () => undefined;
  if (server.toolInputSchemaJson) server.toolInputSchemaJson = () => undefined;
}

function unsupported(field: string): AuthSecError {
  return new AuthSecError('unsupported_mcp_sdk', `this McpServer has no ${field}: AuthSec guards ${supported}`);
}
