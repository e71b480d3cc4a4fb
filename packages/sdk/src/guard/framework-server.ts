import { type ToolHandler, protectHandler } from '../call-pipeline.js';
import { AuthSecError } from '../authsec-error.js';
import type { ToolRegistry } from '../tool-registry.js';
import { isObject } from './json-rpc.js';
import type { OpenedServer } from './mcp-server.js';
import { reservedArgumentsOf } from './reserved-names.js';
import type { ServerTools } from './server-tools.js';
import type { GuardableTransport } from './transport-hooks.js';

/** A framework on the MCP SDK that makes a server of its own for each transport, as FastMCP does: structural. */
export interface FrameworkServer {
  connect(transport: never): Promise<unknown>;
  addTool(tool: never): void;
  addTools(tools: never): void;
  start(options?: never): Promise<void>;
  stop(): Promise<void>;
}

interface FrameworkTool {
  readonly name: string;
  readonly parameters?: unknown;
  readonly execute: ToolHandler;
}

const methodsOf: Readonly<Record<string, RegExp>> = {
  tools: /^tools\//,
  resources: /^resources\//,
  prompts: /^prompts\//,
  completions: /^completion\//,
  logging: /^logging\//,
  tasks: /^tasks\//,
};

export function isFrameworkServer(server: object): server is FrameworkServer {
  const methods = server as Partial<Record<string, unknown>>;
  if ('server' in server || 'assertCanSetRequestHandler' in server) return false;
  return ['connect', 'addTool', 'addTools', 'start', 'stop'].every((name) => typeof methods[name] === 'function');
}

/** Each connection makes its server out of reach: what it handles is what it says in `initialize`. */
export function openFramework(server: FrameworkServer): OpenedServer {
  let capabilities: Readonly<Record<string, unknown>> = {};
  const connect = server.connect.bind(server) as (transport: unknown, ...more: unknown[]) => Promise<unknown>;
  return {
    inner: server as unknown as OpenedServer['inner'],
    highLevel: undefined,
    handles: (method) => Object.keys(capabilities).some((name) => methodsOf[name]?.test(method)),
    connect(transport: GuardableTransport, ...more) {
      const send = transport.send.bind(transport);
      transport.send = (message, options) => {
        const result = 'result' in message ? message.result : undefined;
        const said = isObject(result) ? result['capabilities'] : undefined;
        if (isObject(said)) capabilities = said;
        return send(message, options);
      };
      return connectUntilClosed(transport, () => connect(transport, ...more));
    },
  };
}

/**
 * Wraps the tools that are added from now on. Those of before are out of reach: an entry in `tools` for one of them is
 * refused when the server connects.
 */
export function takeFrameworkTools(server: FrameworkServer, registry: ToolRegistry): ServerTools {
  const added = new Set<string>();
  let isConnected = false;

  function protect(tool: FrameworkTool): FrameworkTool {
    const { name, parameters, execute } = tool;
    registry.assertMayRegister(name, isConnected);
    const [reserved] = reservedArgumentsOf(parameters);
    if (reserved !== undefined) {
      const message = `the parameters of "${name}" declare ${reserved}, which belongs to AuthSec`;
      throw new AuthSecError('reserved_argument', message);
    }
    added.add(name);
    const guarded = protectHandler(server, execute.bind(tool));
    return { ...tool, execute: (args: unknown, ...context: unknown[]) => guarded(args ?? {}, ...context) };
  }

  const addTool = server.addTool.bind(server) as (tool: unknown) => void;
  const addTools = server.addTools.bind(server) as (tools: unknown) => void;
  server.addTool = (tool: FrameworkTool) => addTool(protect(tool));
  server.addTools = (tools: readonly FrameworkTool[]) => addTools(tools.map(protect));
  server.start = async () => {
    const how =
      'connect(new StdioServerTransport()) serves stdio, and createMcpRouter of @authsec/sdk/express serves HTTP';
    throw new AuthSecError('not_guarded', `start() of a framework makes transports that AuthSec does not see: ${how}`);
  };

  return {
    listsItself: () => false,
    isDeclared: registry.hasEntry,
    names: () => undefined,
    has: () => true,
    knows: (name) => added.has(name),
    partsOf: () => [],
    prepare() {
      registry.assertAllRegistered(added);
      isConnected = true;
    },
  };
}

/** A session of a framework has timers of its own, which end when it is closed, and not when its transport is. */
async function connectUntilClosed(transport: GuardableTransport, connect: () => Promise<unknown>): Promise<unknown> {
  const onclose = transport.onclose;
  const closed = new Promise<void>((resolve) => {
    transport.onclose = () => {
      onclose?.();
      resolve();
    };
  });
  const session = await connect();
  void closed.then(() => closeSession(session));
  return session;
}

function closeSession(session: unknown): void {
  const close = isObject(session) ? session['close'] : undefined;
  if (typeof close === 'function') void Promise.resolve(close.call(session)).catch(() => {});
}
