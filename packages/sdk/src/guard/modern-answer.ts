import { type RpcResponse, isObject } from './json-rpc.js';
import type { OpenedServer } from './mcp-server.js';

const protocolVersion = 'io.modelcontextprotocol/protocolVersion';
const serverInfo = 'io.modelcontextprotocol/serverInfo';

/** From protocol 2026-07-28 on each request says its version, and each result that it is complete and whose it is. */
export function isModernRequest(params: Readonly<Record<string, unknown>>): boolean {
  const meta = params['_meta'];
  return isObject(meta) && typeof meta[protocolVersion] === 'string';
}

/** Makes of an answer of the guard's one of that revision. */
export function toModern(response: RpcResponse, { inner }: Pick<OpenedServer, 'inner'>): RpcResponse {
  const { result } = response;
  if (!isObject(result)) return response;
  const info = (inner as { readonly _serverInfo?: unknown })._serverInfo;
  const meta = isObject(info) && typeof info['name'] === 'string' ? { _meta: { [serverInfo]: info } } : {};
  return { ...response, result: { ...result, resultType: 'complete', ...meta } };
}
