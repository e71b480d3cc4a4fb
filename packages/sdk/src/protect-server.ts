import type { Logger } from './author-log.js';
import { AuthSecError } from './authsec-error.js';
import { isFrameworkServer, openFramework, takeFrameworkTools } from './guard/framework-server.js';
import { defaultInFlightLimits } from './guard/in-flight.js';
import { type ProtectableServer, openServer } from './guard/mcp-server.js';
import type { ToolDecision } from './guard/observe-call.js';
import { takeTools } from './guard/server-tools.js';
import type { GuardableTransport } from './guard/transport-hooks.js';
import type { Manifests } from './manifest/manifests.js';
import type { CallerSession, GuardedServer } from './session/caller-session.js';
import { type ToolRules, createToolRegistry } from './tool-registry.js';
import { type TransportGuard, createTransportGuard } from './transport-guard.js';

export interface ProtectServerOptions {
  /** Who may use which tool. Every name must be registered when the server connects. */
  readonly tools?: ToolRules | undefined;
  /** Names in `tools` that are registered only after the server is connected. */
  readonly lateTools?: readonly string[] | undefined;
  /** Called once for each transport that the server connects to. */
  readonly createSession: (guarded: GuardedServer) => CallerSession;
  readonly logger: Logger;
  /** Told of each decision on a call of a tool. */
  readonly onDecision?: ((decision: ToolDecision) => void) | undefined;
  /** Where the tools of the server are published; undefined: nowhere. */
  readonly manifests?: Manifests | undefined;
}

const protectedServers = new WeakSet<object>();
const guards = new WeakMap<object, TransportGuard>();

/**
 * Puts the guard between a server and whatever it connects to later. Throws AuthSecError (a code of
 * `ProtectionErrorCode`) for what is wrong already, `connect` for what is wrong by then.
 */
export function protectServer<Server extends ProtectableServer>(server: Server, options: ProtectServerOptions): Server {
  const { tools: rules = {}, lateTools = [], createSession, manifests, logger: log } = options;
  const framework = isFrameworkServer(server) ? server : undefined;
  const opened = isFrameworkServer(server) ? openFramework(server) : openServer(server);
  const { inner } = opened;
  if (protectedServers.has(inner)) throw new AuthSecError('already_protected', 'this server is protected already');
  if (inner.transport !== undefined) {
    throw new AuthSecError('already_connected', 'protect the server before it connects: it may have answered already');
  }
  const registry = createToolRegistry({ tools: rules, lateTools });
  const tools = framework ? takeFrameworkTools(framework, registry) : takeTools({ opened, owner: inner, registry });
  protectedServers.add(inner);

  const connect = async (given: never, ...more: never[]): Promise<unknown> => {
    const transport: GuardableTransport = given;
    // The MCP SDK says itself what is wrong with a second connection.
    if (inner.transport !== undefined) return opened.connect(transport);
    tools.prepare();
    const limits = defaultInFlightLimits;
    const guard = createTransportGuard({
      transport,
      owner: inner,
      opened,
      tools,
      registry,
      createSession,
      manifests,
      log,
      onDecision: options.onDecision,
      limits,
    });
    let connected: unknown;
    try {
      connected = await opened.connect(transport, ...more);
    } catch (error) {
      guard.close();
      throw error;
    }
    guards.set(inner, guard);
    guard.started();
    return connected;
  };
  inner.connect = connect as typeof inner.connect;
  return server;
}

/** Whether someone is signed in on the connection of this server. */
export function isSignedIn(server: ProtectableServer): boolean {
  return guards.get('server' in server ? server.server : server)?.isSignedIn() ?? false;
}
