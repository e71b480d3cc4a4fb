import { userOf } from '../call-pipeline.js';
import type { CallerState, UserInfo } from '../session/caller-session.js';
import { createAlias } from './aliases.js';
import { type Call, CallAuthInfo, runAs } from './caller-context.js';
import type { Entry, GuardContext } from './guard-context.js';
import {
  type JsonObject,
  type RpcMessage,
  type RpcRequest,
  type RpcResponse,
  isObject,
  maxNameLength,
} from './json-rpc.js';
import { toModern } from './modern-answer.js';
import { endCall } from './observe-call.js';

const relatedTask = 'io.modelcontextprotocol/related-task';

type Passing = Pick<GuardContext, 'owner' | 'hooks' | 'inFlight' | 'pipeline' | 'tasks' | 'answer'>;

/** Lets a request through to the server, as this caller. */
export function pass(context: Passing, message: RpcRequest, entry: Entry, state: CallerState, call?: Call): void {
  entry.call = call ?? { owner: context.owner, user: userOf(state) };
  const params = isObject(message.params) ? withOwnTask(context, message.params, entry, state) : message.params;
  deliverAs(context, entry.call, { ...message, ...(params === undefined ? {} : { params }) }, entry.extra);
}

/** Lets anything through in the name of a call, with the person in `extra.authInfo.extra.user`. */
export function deliverAs(context: Pick<GuardContext, 'hooks'>, call: Call, message: RpcMessage, extra: unknown): void {
  runAs(call, () => context.hooks.deliver(message, withPerson(extra, call)));
}

/** Answers a request that the server does not get to see. */
export function reply(context: Pick<GuardContext, 'inFlight' | 'answer' | 'opened'>, response: RpcResponse): void {
  const entry = context.inFlight.close(response.id);
  endCall(entry, response);
  if (!entry?.cancelled) void context.answer(entry?.isModern ? toModern(response, context.opened) : response);
}

/** Whether a task was begun by this caller, and with a tool that is still theirs. */
export function mayReadTask(
  context: Pick<GuardContext, 'tasks' | 'pipeline'>,
  taskId: string,
  state: CallerState,
): boolean {
  const tool = context.tasks.toolOf(taskId, userOf(state));
  return tool !== undefined && context.pipeline.decide(state, tool).kind === 'allowed';
}

/** A request that says it belongs to another's task is passed on with a task that does not exist. */
function withOwnTask(context: Passing, params: JsonObject, entry: Entry, state: CallerState): JsonObject {
  const meta = params['_meta'];
  const related = isObject(meta) && Object.hasOwn(meta, relatedTask) ? meta[relatedTask] : undefined;
  if (!isObject(meta) || !isObject(related) || typeof related['taskId'] !== 'string') return params;
  if (mayReadTask(context, related['taskId'], state)) return params;
  const alias = createAlias(related['taskId'].slice(0, maxNameLength));
  entry.aliases.push(alias);
  return { ...params, _meta: { ...meta, [relatedTask]: { ...related, taskId: alias.alias } } };
}

/** What an upstream middleware left as `user` is not ours: it is dropped, also where nobody is signed in. */
function withPerson(extra: unknown, call: Call): unknown {
  const given = isObject(extra) ? extra : {};
  const authInfo = isObject(given['authInfo']) ? given['authInfo'] : undefined;
  if (call.user === undefined) {
    const foreign = authInfo && isObject(authInfo['extra']) && Object.hasOwn(authInfo['extra'], 'user');
    if (!foreign) return extra;
    const { user: _, ...rest } = authInfo['extra'] as JsonObject;
    return { ...given, authInfo: { ...authInfo, extra: rest } };
  }
  return { ...given, authInfo: new CallAuthInfo(fieldsOf(authInfo, call.user), call) };
}

/** The `AuthInfo` of the MCP SDK. An in-band login has no token to show. */
function fieldsOf(given: JsonObject | undefined, user: UserInfo): object {
  const extra = given && isObject(given['extra']) ? given['extra'] : {};
  return { token: '', clientId: '', scopes: [...user.scopes], ...given, extra: { ...extra, user } };
}
