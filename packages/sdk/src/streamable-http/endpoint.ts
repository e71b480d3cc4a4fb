import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../author-log.js';
import { addressOf, ipOf } from './address.js';
import type { AllowedSources } from './allowed-sources.js';
import { type CreateHttpTransport, type SessionServer, openSession } from './open-session.js';
import { readBody } from './read-body.js';
import { sendJsonRpcError } from './send-json.js';
import type { SessionMap } from './session-map.js';

const methods = 'GET, POST, DELETE';
const unknownSession = { code: -32001, message: 'Session not found' };
const sessionRequired = {
  code: -32000,
  message: 'Bad Request: Mcp-Session-Id header is required',
  data: {
    error: 'session_required',
    message: 'This endpoint ties a login to an MCP session, so it is not to be used stateless.',
    next_step: 'Send initialize, and from then on the Mcp-Session-Id header that its answer carries.',
  },
};

/** Takes a request by Host, Origin and method to its session, or opens one for `initialize`. Never rejects. */
export function createEndpoint(options: {
  readonly createServer: () => SessionServer | Promise<SessionServer>;
  readonly createTransport: CreateHttpTransport;
  readonly enableJsonResponse: boolean;
  readonly sources: AllowedSources;
  readonly sessions: SessionMap;
  readonly maxBodyBytes: number;
  readonly log: Logger;
}): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { sources, sessions, maxBodyBytes, log } = options;

  return async (request, response) => {
    try {
      await handle(request, response);
    } catch (error) {
      if (request.destroyed && !request.complete) return log.debug('a client went away in the middle of its request');
      log.error('an MCP request failed', { error: String(error) });
      sendJsonRpcError(response, 500, { code: -32603, message: 'Internal error' });
    }
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers } = request;
    if (!sources.allowsHost(headers.host)) {
      log.warn('refused a Host that is not in allowedHosts', { host: headers.host?.slice(0, 200) });
      return sendJsonRpcError(response, 403, { code: -32000, message: 'Forbidden: this Host is not served here' });
    }
    if (!sources.allowsOrigin(headers.origin)) {
      log.warn('refused an Origin that is not in allowedOrigins', { origin: headers.origin?.slice(0, 200) });
      return sendJsonRpcError(response, 403, { code: -32000, message: 'Forbidden: this Origin is not allowed' });
    }
    if (headers.origin !== undefined) allowOrigin(response, headers.origin);
    if (method === 'OPTIONS') return void response.writeHead(204, { Allow: methods }).end();
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
      response.setHeader('Allow', methods);
      return sendJsonRpcError(response, 405, { code: -32000, message: 'Method not allowed.' });
    }
    const sessionId = headers['mcp-session-id'];
    if (typeof sessionId === 'string') return toSession(request, response, sessionId);
    if (method !== 'POST') return sendJsonRpcError(response, 400, sessionRequired);
    return toNewSession(request, response);
  }

  async function toSession(request: IncomingMessage, response: ServerResponse, sessionId: string): Promise<void> {
    const used = sessions.use(sessionId);
    if (!used) return sendJsonRpcError(response, 404, unknownSession);
    response.on('close', used.release);
    const body = request.method === 'POST' ? await readOrRefuse(request, response) : { value: undefined };
    if (body) await used.session.transport.handleRequest(request, response, body.value);
  }

  async function toNewSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readOrRefuse(request, response);
    if (!body) return;
    if ((body.value as { readonly method?: unknown } | null)?.method !== 'initialize') {
      return sendJsonRpcError(response, 400, sessionRequired);
    }
    const address = addressOf(request);
    if (!sessions.makeRoom(address)) {
      log.warn('refused a new MCP session: as many as maxSessions are signed in');
      response.setHeader('Retry-After', '30');
      return sendJsonRpcError(response, 503, { code: -32000, message: 'Too many sessions: try again later' });
    }
    await openSession(options, { request, response, body: body.value, address, ip: ipOf(request) });
  }

  async function readOrRefuse(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ value: unknown } | undefined> {
    const body = await readBody(request, maxBodyBytes);
    if ('value' in body) return body;
    response.setHeader('Connection', 'close');
    const code = body.status === 413 ? -32000 : -32700;
    sendJsonRpcError(response, body.status, { code, message: body.message });
    return undefined;
  }
}

function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Vary', 'Origin');
  response.setHeader('Access-Control-Allow-Methods', methods);
  response.setHeader(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Last-Event-ID, Mcp-Protocol-Version, Mcp-Session-Id',
  );
  response.setHeader('Access-Control-Expose-Headers', 'Mcp-Session-Id, WWW-Authenticate');
}
