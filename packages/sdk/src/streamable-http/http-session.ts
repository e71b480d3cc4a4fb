import type { IncomingMessage, ServerResponse } from 'node:http';

/** The part of `StreamableHTTPServerTransport` that the endpoint needs. */
export interface HttpTransport {
  readonly sessionId?: string | undefined;
  onclose?: (() => void) | undefined;
  handleRequest(request: IncomingMessage, response: ServerResponse, parsedBody?: unknown): Promise<void>;
  close(): Promise<void>;
}

/** One MCP session: one server instance on one transport. */
export interface HttpSession {
  readonly transport: HttpTransport;
  /** Who opened it, as far as the network tells. */
  readonly address: string;
  isSignedIn(): boolean;
  /** Ends the server and its transport; never fails. */
  close(): Promise<void>;
}
