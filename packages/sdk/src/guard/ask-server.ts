import { randomBytes } from 'node:crypto';
import type { CallerState } from '../session/caller-session.js';
import { type JsonObject, type RequestId, type RpcRequest, type RpcResponse, errorCodes, errorOf } from './json-rpc.js';

export interface Asked {
  readonly extra: unknown;
  /** In whose name. */
  readonly state: CallerState;
}

/** Requests of the guard's own to the server, whose answers the client never sees. Their ids are 128 random bits. */
export interface AskServer {
  readonly ask: (method: string, params: JsonObject, asked: Asked) => Promise<RpcResponse>;
  /** True where the answer was to a question of the guard's. */
  take(response: RpcResponse): boolean;
  close(): void;
}

export function createAskServer(deliver: (request: RpcRequest, asked: Asked) => void): AskServer {
  const waiting = new Map<RequestId, (response: RpcResponse) => void>();
  let isClosed = false;

  return {
    ask(method, params, asked) {
      const id = `authsec-${randomBytes(16).toString('hex')}`;
      return new Promise<RpcResponse>((resolve) => {
        if (isClosed) return resolve(closedError(id));
        waiting.set(id, resolve);
        deliver({ jsonrpc: '2.0', id, method, params }, asked);
      });
    },
    take(response) {
      const resolve = waiting.get(response.id);
      waiting.delete(response.id);
      resolve?.(response);
      return resolve !== undefined;
    },
    close() {
      isClosed = true;
      for (const [id, resolve] of waiting) resolve(closedError(id));
      waiting.clear();
    },
  };
}

function closedError(id: RequestId): RpcResponse {
  return errorOf(id, errorCodes.internal, 'Connection closed');
}
