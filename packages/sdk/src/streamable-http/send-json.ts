import type { ServerResponse } from 'node:http';

/** Answers a request that reaches no session: JSON-RPC's error form, as the MCP SDK does. */
export function sendJsonRpcError(
  response: ServerResponse,
  status: number,
  error: { readonly code: number; readonly message: string; readonly data?: unknown },
): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }));
}
