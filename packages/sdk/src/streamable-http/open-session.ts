import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../author-log.js';
import { setClientAddress } from '../guard/client-address.js';
import { type FrameworkServer, isFrameworkServer } from '../guard/framework-server.js';
import type { HighLevelServer, LowLevelServer } from '../guard/mcp-server.js';
import { isSignedIn } from '../protect-server.js';
import type { HttpSession, HttpTransport } from './http-session.js';
import type { SessionMap } from './session-map.js';

/** What `createServer` makes: a protected server that is not connected. */
export type SessionServer = ((LowLevelServer | HighLevelServer) & { close(): Promise<void> }) | FrameworkServer;

export interface SessionTransportOptions {
  /** 128 random bits; never to be logged. */
  readonly sessionIdGenerator: () => string;
  readonly onsessioninitialized: (sessionId: string) => void;
  readonly enableJsonResponse: boolean;
}
export type CreateHttpTransport = (options: SessionTransportOptions) => HttpTransport | Promise<HttpTransport>;

/** Opens a session for an `initialize` request; it is in the map once the transport has accepted the request. */
export async function openSession(
  options: {
    readonly createServer: () => SessionServer | Promise<SessionServer>;
    readonly createTransport: CreateHttpTransport;
    readonly enableJsonResponse: boolean;
    readonly sessions: SessionMap;
    readonly log: Logger;
  },
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly body: unknown;
    /** Who is counted together. */
    readonly address: string;
    readonly ip: string;
  },
): Promise<void> {
  const { createServer, createTransport, enableJsonResponse, sessions, log } = options;
  const { request, response, body, address, ip } = exchange;
  const server = await createServer();
  const transport = await createTransport({
    sessionIdGenerator: () => randomBytes(16).toString('base64url'),
    onsessioninitialized: (sessionId) => {
      sessions.add(sessionId, session);
      release = sessions.use(sessionId)?.release;
      // Who went away while the server was made will not close again.
      if (response.destroyed) release?.();
    },
    enableJsonResponse,
  });
  const session: HttpSession = {
    transport,
    address,
    isSignedIn: () => isSignedIn(server),
    async close() {
      try {
        await (isFrameworkServer(server) ? server.stop() : server.close());
        await transport.close();
      } catch (error) {
        log.warn('an MCP session did not end cleanly', { error: String(error) });
      }
    },
  };
  let release: (() => void) | undefined;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- an MCP transport has no listeners
  transport.onclose = () => {
    if (transport.sessionId !== undefined) sessions.remove(transport.sessionId);
  };
  response.on('close', () => release?.());
  try {
    setClientAddress(transport, ip);
    await connect(server, transport, log);
    await transport.handleRequest(request, response, body);
  } catch (error) {
    await session.close();
    throw error;
  }
  if (transport.sessionId === undefined) await session.close();
}

/** A framework goes on connecting until it was sent `initialize`; its server listens from the first moment. */
async function connect(server: SessionServer, transport: HttpTransport, log: Logger): Promise<void> {
  const connecting = server.connect(transport as never);
  if (!isFrameworkServer(server)) return void (await connecting);
  const listening = new Promise<void>((resolve) => setImmediate(resolve));
  await Promise.race([connecting, listening]);
  connecting.catch((error: unknown) => log.warn('an MCP session did not connect', { error: String(error) }));
}
