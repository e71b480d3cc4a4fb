import { protectServer } from './protect-server.js';
import type { ProtectableServer } from './guard/mcp-server.js';
import { createLoginService, type AuthSecOptions } from './session/login-service.js';
import { environmentFor } from './session/provided-environment.js';
import type { ToolRules } from './tool-registry.js';

export interface ProtectOptions {
  /** Who may use which tool; one without an entry needs a signed-in person. */
  readonly tools?: ToolRules | undefined;
  /** Names in `tools` that are registered only after the server is connected. */
  readonly lateTools?: readonly string[] | undefined;
}

/** One for each issuer and process: it holds the keys, the leases and the connection to the Manager. */
export interface AuthSec {
  /** Guards a server instance, and returns it; once for each instance, before it connects. */
  protect<Server extends ProtectableServer>(server: Server, options?: ProtectOptions): Server;
  /** Ends all logins, here at once and at the Manager as far as it answers within some seconds. */
  close(): Promise<void>;
}

/** Protects MCP servers by one issuer. Throws a TypeError that names a bad option; nothing is sent before a server connects. */
export function authsec(options: AuthSecOptions): AuthSec {
  const service = createLoginService(options, environmentFor(options?.fetch));
  return {
    protect: (server, { tools, lateTools } = {}) =>
      protectServer(server, {
        tools,
        lateTools,
        createSession: (guarded) => service.createSession(guarded),
        logger: service.log,
        manifests: service.manifests,
        onDecision: options.onDecision,
      }),
    close: () => service.close(),
  };
}
