import {
  type JsonObject,
  type RpcRequest,
  type RpcResponse,
  errorCodes,
  errorOf,
  isObject,
  resultOf,
} from './json-rpc.js';

const emptyLists: ReadonlyMap<string, string> = new Map([
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
  ['prompts/list', 'prompts'],
]);

/**
 * What nobody declared, before login: its lists are empty, the rest is unknown, in the words of the MCP SDK. Answered
 * without asking the server, so no handler of the author's runs for nobody.
 */
export function answerBeforeLogin(request: RpcRequest, handles: (method: string) => boolean): RpcResponse {
  const { id, method } = request;
  if (!handles(method)) return errorOf(id, errorCodes.methodNotFound, 'Method not found');
  const list = emptyLists.get(method);
  if (list !== undefined) return resultOf(id, { [list]: [] });
  const missing = describeMissing(method, isObject(request.params) ? request.params : {});
  if (missing === undefined) return errorOf(id, errorCodes.methodNotFound, 'Method not found');
  return errorOf(id, errorCodes.invalidParams, `MCP error ${errorCodes.invalidParams}: ${missing}`);
}

function describeMissing(method: string, params: JsonObject): string | undefined {
  switch (method) {
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return `Resource ${textOf(params['uri'])} not found`;
    case 'prompts/get':
      return `Prompt ${textOf(params['name'])} not found`;
    case 'completion/complete': {
      const ref = isObject(params['ref']) ? params['ref'] : {};
      return ref['type'] === 'ref/resource'
        ? `Resource template ${textOf(ref['uri'])} not found`
        : `Prompt ${textOf(ref['name'])} not found`;
    }
    default:
      return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
