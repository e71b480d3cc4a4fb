import { type RpcResponse, isObject } from './json-rpc.js';
import type { OpenedServer } from './mcp-server.js';

const protocolVersion = 'io.modelcontextprotocol/protocolVersion';
const serverInfo = 'io.modelcontextprotocol/serverInfo';

/** From protocol 2026-07-28 on each request says its version, and each result that it is complete and whose it is. */
export function isModernRequest(params: Readonly<Record<string, unknown>>): boolean {
  return protocolOf(params) !== undefined;
}

/** The version that a request says; undefined where the connection has agreed on one. */
export function protocolOf({ _meta: meta }: Readonly<Record<string, unknown>>): string | undefined {
  const said = isObject(meta) ? meta[protocolVersion] : undefined;
  return typeof said === 'string' ? said : undefined;
}

/** Makes of an answer of the guard's one of that revision. */
export function toModern(response: RpcResponse, { inner }: Pick<OpenedServer, 'inner'>): RpcResponse {
  const { result } = response;
  if (!isObject(result)) return response;
  const info = (inner as { readonly _serverInfo?: unknown })._serverInfo;
  const meta = isObject(info) && typeof info['name'] === 'string' ? { _meta: { [serverInfo]: info } } : {};
  return { ...response, result: { ...result, resultType: 'complete', ...meta } };
}
