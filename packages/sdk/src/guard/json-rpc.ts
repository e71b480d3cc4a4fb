/** JSON-RPC messages as the guard sees them: only what it reads is typed, everything else is carried along. */
export type RequestId = string | number;
export type JsonObject = Readonly<Record<string, unknown>>;

export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: unknown;
}
export interface RpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: unknown;
}
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}
export interface RpcResponse {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly result?: unknown;
  readonly error?: RpcError;
}
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

export const errorCodes = { invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602, internal: -32603 };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isPlainObject(value: unknown): value is JsonObject {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The params of a request or notification, empty where there are none. */
export function paramsOf(message: { readonly params?: unknown }): JsonObject {
  return isObject(message.params) ? message.params : {};
}

/** What we are ready to keep of a name that a caller makes up. */
export const maxNameLength = 1_024;

export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}

export function resultOf(id: RequestId, result: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, result };
}

export function errorOf(id: RequestId, code: number, message: string, data?: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}
