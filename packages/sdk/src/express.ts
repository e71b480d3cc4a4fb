import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { type Logger, createAuthorLog } from './author-log.js';
import { createAllowedSources } from './streamable-http/allowed-sources.js';
import { createEndpoint } from './streamable-http/endpoint.js';
import type { HttpTransport } from './streamable-http/http-session.js';
import type { CreateHttpTransport, SessionServer } from './streamable-http/open-session.js';
import { type SessionLimits, createSessionMap } from './streamable-http/session-map.js';

export type { HttpTransport } from './streamable-http/http-session.js';
export type { CreateHttpTransport, SessionServer, SessionTransportOptions } from './streamable-http/open-session.js';

export interface McpRouterOptions {
  /** A fresh server for each session, protected and not connected. */
  readonly createServer: () => SessionServer | Promise<SessionServer>;
  /** `Host` headers that are taken: host names, with a port or for every port. Default: those of the loopback. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins of web pages that may use the endpoint; they get CORS headers. Default: none, which is for all but browsers. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Default 10,000. Past it the longest idle session without a login ends, of the address that has the most of them; and
   * past 1,000 of one address (Express's `trust proxy` says which) the longest idle one of its own.
   */
  readonly maxSessions?: number | undefined;
  /** Default 1,800. A session with an open stream is not idle. */
  readonly idleTimeoutSeconds?: number | undefined;
  /** Default 43,200. */
  readonly absoluteTimeoutSeconds?: number | undefined;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Answers are JSON instead of event streams; `list_changed` still goes over the GET stream. */
  readonly enableJsonResponse?: boolean | undefined;
  readonly logger?: Logger | undefined;
  /**
   * Default: `StreamableHTTPServerTransport` of `@modelcontextprotocol/sdk`, imported when the first session opens. An
   * event store must be of this one session: the MCP SDK replays what an event id names, whoever asks.
   */
  readonly createTransport?: CreateHttpTransport | undefined;
}

/** A handler for Express 5 (`app.use('/mcp', router)`) or any `(request, response)` server. */
export interface McpRouter {
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** Ends all sessions. */
  close(): Promise<void>;
  readonly sessionCount: number;
}

/** Serves MCP over stateful Streamable HTTP and owns its sessions. Throws a TypeError that names a bad option. */
export function createMcpRouter(options: McpRouterOptions): McpRouter {
  const { createServer, enableJsonResponse = false, createTransport = createStreamableTransport } = options;
  if (typeof createServer !== 'function') throw new TypeError('createServer must be a function');
  const log = createAuthorLog({ logger: options.logger, debug: false });
  const limits: SessionLimits = {
    maxSessions: positive('maxSessions', options.maxSessions, 10_000),
    maxStrangersPerAddress: 1_000,
    idleTimeoutMs: positive('idleTimeoutSeconds', options.idleTimeoutSeconds, 1_800) * 1_000,
    absoluteTimeoutMs: positive('absoluteTimeoutSeconds', options.absoluteTimeoutSeconds, 43_200) * 1_000,
  };
  const maxBodyBytes = positive('maxBodyBytes', options.maxBodyBytes, 1_048_576);
  const sources = createAllowedSources(options);
  const sessions = createSessionMap(limits, () => performance.now());
  const handle = createEndpoint({
    createServer,
    createTransport,
    enableJsonResponse,
    sources,
    sessions,
    maxBodyBytes,
    log,
  });

  const sweepEveryMs = Math.min(30_000, Math.ceil(Math.min(limits.idleTimeoutMs, limits.absoluteTimeoutMs) / 2));
  const sweeper = setInterval(() => sessions.sweep(), sweepEveryMs).unref();

  const router = (request: IncomingMessage, response: ServerResponse): void => void handle(request, response);
  return Object.defineProperty(
    Object.assign(router, {
      close() {
        clearInterval(sweeper);
        return sessions.closeAll();
      },
    }),
    'sessionCount',
    { get: () => sessions.size },
  ) as unknown as McpRouter;
}

async function createStreamableTransport(options: Parameters<CreateHttpTransport>[0]): Promise<HttpTransport> {
  // oxlint-disable-next-line no-restricted-imports -- an optional peer, and only where no createTransport is given
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
  return new StreamableHTTPServerTransport(options);
}

function positive(name: string, value: number | undefined, fallback: number): number {
  const given = value ?? fallback;
  if (!Number.isFinite(given) || given <= 0) throw new TypeError(`${name} must be a positive number`);
  return given;
}
