import type { AuthSecError } from '../authsec-error.js';
import { serviceErrorResult } from '../services/service-error-texts.js';
import type { CallerState, ToolResult } from '../session/caller-session.js';
import { createAlias, restoreAliases } from './aliases.js';
import type { Entry, GuardContext } from './guard-context.js';
import { type JsonObject, type RpcResponse, errorCodes, errorOf, isObject, resultOf } from './json-rpc.js';
import { toModern } from './modern-answer.js';
import { logListOf, tellListed, tellRefusal } from './observe-call.js';
import { mergePages } from './pages.js';
import { mayReadTask } from './passage.js';
import { isReservedToolName } from './reserved-names.js';
import { unavailableError, unavailableResult } from './unavailable.js';
import type { Verdict } from './verdict.js';

type Answer = RpcResponse | Promise<RpcResponse>;

/** Makes of the server's answer what this caller may see of it; at once, where nothing has to be asked again. */
export function makeAnswer(context: GuardContext, response: RpcResponse, entry: Entry | undefined): Answer {
  try {
    const answer = entry ? answerTo(context, response, entry) : answerNobody(context, response);
    return answer instanceof Promise ? answer.catch(failed) : answer;
  } catch (error) {
    return failed(error);
  }

  function failed(error: unknown): RpcResponse {
    context.log.error('an answer was withheld, since it could not be filtered', { error: String(error) });
    return errorOf(response.id, errorCodes.internal, 'Internal error');
  }
}

/** Whatever it was that this answers is forgotten: only a list can be judged without it. */
function answerNobody(context: GuardContext, response: RpcResponse): RpcResponse {
  if (isObject(response.result) && Object.hasOwn(response.result, 'tools')) {
    const { tools } = response.result;
    return resultOf(response.id, { tools: visibleTools(context, tools, { kind: 'anonymous' }) });
  }
  context.log.warn('an answer was withheld, since its request is not known any more');
  return errorOf(response.id, errorCodes.internal, 'Internal error');
}

function answerTo(context: GuardContext, response: RpcResponse, entry: Entry): Answer {
  if (entry.call?.refused) return refuse(context, response, entry);
  const failed = entry.call?.services && failureOf(response, entry.call.services.failure());
  if (failed && !entry.tool?.isTask) {
    const answer = resultOf(response.id, failed);
    return entry.isModern ? toModern(answer, context.opened) : answer;
  }
  if (entry.taskId !== undefined && !mayReadTask(context, entry.taskId, context.pipeline.identify())) {
    return askUnknown(context, response, entry, 'taskId', entry.taskId);
  }
  const { result } = response;
  if (!isObject(result)) return restoreAliases(response, entry.aliases);
  if (entry.method === 'tools/list') return listTools(context, response, entry, result);
  if (entry.method === 'tasks/list') return listTasks(context, response, entry, result);
  if (entry.method === 'initialize') return advertise(context, response, result);
  if (entry.method === 'tools/call') bindTask(context, entry, result);
  return restoreAliases(filterTools(context, response), entry.aliases);
}

/** Whatever carries `tools` is a list of tools, however it came about. */
function filterTools(context: GuardContext, response: RpcResponse): RpcResponse {
  const { result } = response;
  if (!isObject(result) || !Object.hasOwn(result, 'tools')) return response;
  return {
    ...response,
    result: { ...result, tools: visibleTools(context, result['tools'], context.pipeline.identify()) },
  };
}

/** The definitions among `tools` that this caller may see; those in the name of AuthSec are not the author's to give. */
export function visibleTools(
  context: Pick<GuardContext, 'pipeline'>,
  tools: unknown,
  state: CallerState,
  tell?: (tool: string, verdict: Verdict) => void,
): JsonObject[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter((tool: unknown): tool is JsonObject => {
    const name = isObject(tool) ? tool['name'] : undefined;
    if (typeof name !== 'string' || isReservedToolName(name)) return false;
    const verdict = context.pipeline.decide(state, name);
    tell?.(name, verdict);
    return verdict.kind !== 'hidden';
  });
}

function listTools(context: GuardContext, response: RpcResponse, entry: Entry, first: JsonObject): Answer {
  const answer = (list: JsonObject): RpcResponse => {
    const state = context.pipeline.identify();
    logListOf(context.log, state);
    const own = visibleTools(context, list['tools'], state, (tool, verdict) =>
      tellListed(context, { tool, verdict, state }),
    );
    return resultOf(response.id, { ...list, tools: [...context.session.oauthTools, ...own] });
  };
  return onePage(context, response, entry, first, 'tools', answer);
}

function listTasks(context: GuardContext, response: RpcResponse, entry: Entry, first: JsonObject): Answer {
  return onePage(context, response, entry, first, 'tasks', (list) => {
    const state = context.pipeline.identify();
    const given: unknown[] = Array.isArray(list['tasks']) ? list['tasks'] : [];
    const tasks = given.filter(
      (task) => isObject(task) && typeof task['taskId'] === 'string' && mayReadTask(context, task['taskId'], state),
    );
    return resultOf(response.id, { ...list, tasks });
  });
}

function onePage(
  context: GuardContext,
  response: RpcResponse,
  entry: Entry,
  first: JsonObject,
  key: string,
  answer: (list: JsonObject) => RpcResponse,
): Answer {
  if (!Object.hasOwn(first, 'nextCursor')) return answer(first);
  const list = { method: entry.method, key, extra: entry.extra, state: context.pipeline.identify() };
  return mergePages(context, list, first).then((merged) =>
    'error' in merged ? { ...merged.error, id: response.id } : answer(merged.result),
  );
}

function advertise(context: GuardContext, response: RpcResponse, result: JsonObject): RpcResponse {
  const given = isObject(result['capabilities']) ? result['capabilities'] : {};
  const tools = isObject(given['tools']) ? given['tools'] : {};
  context.capabilities = { ...given, tools: { ...tools, listChanged: true } };
  context.client.initialized = true;
  if (typeof result['protocolVersion'] === 'string') context.client.protocol = result['protocolVersion'];
  return { ...response, result: { ...result, capabilities: context.capabilities } };
}

function bindTask(context: GuardContext, entry: Entry, result: JsonObject): void {
  const { task } = result;
  if (!entry.call?.lookAgain || !entry.tool || !isObject(task) || typeof task['taskId'] !== 'string') return;
  context.tasks.bind(task['taskId'], entry.tool.name, entry.call.user);
}

/** What a tool did not handle of a service's failure, in words that a model can act on: the servers say only its message. */
function failureOf(response: RpcResponse, failure: AuthSecError | undefined): ToolResult | undefined {
  const said = response.error?.message ?? (isObject(response.result) ? errorTextOf(response.result) : undefined);
  return failure && said?.endsWith(failure.message) ? serviceErrorResult(failure) : undefined;
}

function errorTextOf({ isError, content }: JsonObject): string | undefined {
  const first: unknown = isError === true && Array.isArray(content) ? content[0] : undefined;
  return isObject(first) && typeof first['text'] === 'string' ? first['text'] : undefined;
}

/** A second look said no while the arguments were validated. */
function refuse(context: GuardContext, response: RpcResponse, entry: Entry): Answer {
  const refused = entry.call?.refused;
  const tool = entry.tool?.name ?? '';
  if (refused) tellRefusal(context, { tool, verdict: refused, state: context.pipeline.identify() });
  if (refused?.kind === 'unavailable') {
    const { code } = refused;
    if (entry.tool?.isTask) return unavailableError(response.id, code);
    const answer = resultOf(response.id, unavailableResult(code));
    return entry.isModern ? toModern(answer, context.opened) : answer;
  }
  return askUnknown(context, response, entry, 'name', tool);
}

/** What the server says to the same request about something that does not exist. */
async function askUnknown(
  context: GuardContext,
  response: RpcResponse,
  entry: Entry,
  key: 'name' | 'taskId',
  original: string,
): Promise<RpcResponse> {
  const alias = createAlias(original);
  const asked = { extra: entry.extra, state: { kind: 'anonymous' } as const };
  const params = { [key]: alias.alias, ...(entry.tool?.isTask && { task: {} }) };
  const unknown = await context.ask(entry.method, params, asked);
  return { ...restoreAliases(unknown, [...entry.aliases, alias]), id: response.id };
}
