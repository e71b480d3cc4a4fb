import { createAuthorLog } from './author-log.js';
import { authsec } from './authsec.js';
import { createMcpRouter, type McpRouterOptions } from './express.js';
import type { AuthSecOptions } from './session/login-service.js';
import { prepareToolServers } from './tool-server/create-tool-server.js';
import type { AuthSecTool } from './tool-server/define-tool.js';
import { withEnvironment } from './tool-server/environment-settings.js';
import { type Served, serveHttp, serveStdio } from './tool-server/serve.js';
import { onceStopped } from './tool-server/stop-signals.js';

export interface RunMcpServerOptions
  extends Partial<AuthSecOptions>, Omit<McpRouterOptions, 'createServer' | 'createTransport' | 'logger'> {
  /** Made by `protectedByAuthSec` and `mcpTool`. */
  readonly tools: readonly AuthSecTool[];
  /** What the server is called; `authsec-mcp-server` unless told. */
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  /** What clients may tell their model of the server. */
  readonly instructions?: string | undefined;
  /** Where to listen; 127.0.0.1 unless told. */
  readonly host?: string | undefined;
  /** 3005 unless told; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Of the MCP endpoint; `/mcp` unless told. */
  readonly path?: string | undefined;
  /** Serves this process's standard input and output instead of HTTP. */
  readonly stdio?: boolean | undefined;
  /** Whether SIGINT and SIGTERM end the logins before the process; true unless told. */
  readonly handleSignals?: boolean | undefined;
}

export interface RunningMcpServer {
  /** Where clients connect; undefined on stdio. */
  readonly url: string | undefined;
  /** Ends every session and login. */
  close(): Promise<void>;
}

/**
 * Serves tools over Streamable HTTP, or stdio. `issuer`, `clientId` and `clientSecret` also come from AUTHSEC_ISSUER,
 * AUTHSEC_CLIENT_ID and AUTHSEC_CLIENT_SECRET. Throws a TypeError that names a bad option, AuthSecError
 * `unsupported_mcp_sdk` without the package @modelcontextprotocol/sdk, and whatever listening failed with.
 */
export async function runMcpServerWithOAuth(options: RunMcpServerOptions): Promise<RunningMcpServer> {
  const { tools, name = 'authsec-mcp-server', version = '1.0.0', instructions, ...afterTools } = options;
  const { host = '127.0.0.1', port = 3005, path = '/mcp', stdio = false, handleSignals = true, ...rest } = afterTools;
  const { allowedHosts, allowedOrigins, maxSessions, idleTimeoutSeconds, absoluteTimeoutSeconds, ...last } = rest;
  const { maxBodyBytes, enableJsonResponse, ...authSecOptions } = last;
  if (!Array.isArray(tools)) throw new TypeError('tools: must be a list of what protectedByAuthSec and mcpTool make');
  if (!path.startsWith('/')) throw new TypeError('path: must begin with /');
  const { logger } = authSecOptions;
  const log = createAuthorLog({ logger, debug: false });
  const auth = authsec(withEnvironment(authSecOptions, { stdio }));
  const createServer = await prepareToolServers({ tools, name, version, instructions }, auth);

  const serve = (): Promise<Served> => {
    if (stdio) return serveStdio(createServer());
    const limits = { maxSessions, idleTimeoutSeconds, absoluteTimeoutSeconds, maxBodyBytes };
    const router = createMcpRouter({
      createServer,
      allowedHosts,
      allowedOrigins,
      enableJsonResponse,
      logger,
      ...limits,
    });
    return serveHttp(router, { host, port, path });
  };
  const served = await serve().catch(async (error: unknown) => {
    await auth.close();
    throw error;
  });
  log.info(`${name} is served ${served.url === undefined ? 'on stdio' : `at ${served.url}`}`);
  if (!logger && served.url !== undefined) process.stderr.write(`${name}: ${served.url}\n`);

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  const forget = handleSignals ? onceStopped(close) : () => {};
  served.whenOver(() => void close());

  async function closeAll(): Promise<void> {
    forget();
    await served.close();
    await auth.close();
  }

  return { url: served.url, close };
}
