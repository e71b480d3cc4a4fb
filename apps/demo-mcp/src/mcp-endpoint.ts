import { randomUUID } from 'node:crypto';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import express, { Router } from 'express';

export function mcpEndpoint({ createServer }: { createServer: () => McpServer }): Router {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const router = Router();
  router.all('/', express.json({ limit: '4mb' }), async (request, response) => {
    const id = request.headers['mcp-session-id'];
    let transport = typeof id === 'string' ? sessions.get(id) : undefined;
    if (id && !transport) return void response.status(404).json({ error: 'unknown session' });
    if (!transport) {
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (sessionId) => void sessions.set(sessionId, made),
        onsessionclosed: (sessionId) => void sessions.delete(sessionId),
      });
      transport = made;
      await createServer().connect(transport as never);
    }
    await transport.handleRequest(request, response, request.body);
  });
  return router;
}
