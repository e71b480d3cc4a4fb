import { userOf } from '../call-pipeline.js';
import { endServices } from '../services/call-context.js';
import type { CallerState } from '../session/caller-session.js';
import { createAlias } from './aliases.js';
import { answerBeforeLogin } from './before-login.js';
import type { Entry, GuardContext } from './guard-context.js';
import {
  type JsonObject,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  errorCodes,
  errorOf,
  isObject,
  isRequestId,
  maxNameLength,
  paramsOf,
  resultOf,
} from './json-rpc.js';
import { isModernRequest } from './modern-answer.js';
import { observeCall } from './observe-call.js';
import { deliverAs, mayReadTask, pass, reply } from './passage.js';
import { receiveCall } from './receive-call.js';
import { unavailableError } from './unavailable.js';

/** Requests that anyone may make, and that the server answers. */
const openRequests: ReadonlySet<string> = new Set(['initialize', 'ping', 'logging/setLevel']);
const openNotifications: ReadonlySet<string> = new Set([
  'notifications/initialized',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
]);

/** Judges a message of the client, once, and lets through what it judged. */
export function receive(context: GuardContext, message: RpcMessage, extra: unknown): void {
  if (!isObject(message)) return context.hooks.report(new Error('refused a message that is not an object'));
  // The answer to a request of the server's own.
  if (!('method' in message)) return context.hooks.deliver(message, extra);
  if (typeof message.method !== 'string') return context.hooks.report(new Error('refused a message without a method'));
  if (!('id' in message)) return receiveNotification(context, message, extra);
  if (!isRequestId(message.id)) return context.hooks.report(new Error('refused a request without an id'));
  receiveRequest(context, message as RpcRequest, extra);
}

function receiveNotification(context: GuardContext, message: RpcNotification, extra: unknown): void {
  const { method } = message;
  if (method === 'notifications/cancelled') return receiveCancellation(context, message, extra);
  const state = context.pipeline.identify();
  if (openNotifications.has(method) || (state.kind === 'active' && method.startsWith('notifications/'))) {
    return deliverAs(context, { owner: context.owner, user: userOf(state) }, message, extra);
  }
  context.log.debug(`the notification ${JSON.stringify(method)} was dropped`);
}

function receiveCancellation(context: GuardContext, message: RpcNotification, extra: unknown): void {
  const { requestId } = paramsOf(message);
  const entry = isRequestId(requestId) ? context.inFlight.get(requestId) : undefined;
  if (entry) {
    entry.cancelled = true;
    entry.extra = undefined;
    entry.abort?.abort();
    endServices(entry.call, true);
  }
  context.hooks.deliver(message, extra);
}

function receiveRequest(context: GuardContext, message: RpcRequest, extra: unknown): void {
  const { id, method } = message;
  const entry: Entry = {
    method,
    extra,
    aliases: [],
    isModern: isModernRequest(paramsOf(message)),
    openedAt: context.now(),
  };
  const opened = context.inFlight.open(id, entry);
  if (opened !== 'opened') {
    const text = opened === 'in_flight' ? 'a request with this id is in flight' : 'too many requests are in flight';
    return void context.answer(errorOf(id, errorCodes.invalidRequest, `Invalid Request: ${text}`));
  }
  context.client.stateless = isHttp(extra) && context.sessionId() === undefined;

  const state = context.pipeline.identify();
  if (method === 'tools/call') {
    const run = () => receiveCall(context, message, entry, state);
    return observeCall(message, entry, { overHttp: isHttp(extra), agreed: context.client.protocol, run });
  }
  if (method === 'tools/list') return receiveList(context, message, entry, state);
  if (method === 'initialize') noteClient(context, paramsOf(message));
  if (openRequests.has(method)) return pass(context, message, entry, state);
  if (method.startsWith('tasks/')) return receiveTask(context, message, entry, state);
  if (state.kind === 'active') return pass(context, message, entry, state);
  if (state.kind === 'unjudgeable' && context.opened.handles(method)) {
    return reply(context, unavailableError(id, state.code));
  }
  reply(context, answerBeforeLogin(message, context.opened.handles));
}

/** Pages are merged, so that a cursor was never given out. */
function receiveList(context: GuardContext, message: RpcRequest, entry: Entry, state: CallerState): void {
  const { id } = message;
  if (paramsOf(message)['cursor'] !== undefined) {
    return reply(context, errorOf(id, errorCodes.invalidParams, 'Invalid params: unknown cursor'));
  }
  if (!context.opened.handles('tools/list')) return reply(context, resultOf(id, { tools: context.session.oauthTools }));
  pass(context, message, entry, state);
}

function receiveTask(context: GuardContext, message: RpcRequest, entry: Entry, state: CallerState): void {
  const { id, method } = message;
  if (!context.opened.handles(method))
    return reply(
      context,
      answerBeforeLogin(message, () => false),
    );
  const params = paramsOf(message);
  const { taskId } = params;
  if (typeof taskId !== 'string') {
    if (params['cursor'] === undefined) return pass(context, message, entry, state);
    return reply(context, errorOf(id, errorCodes.invalidParams, 'Invalid params: unknown cursor'));
  }
  if (taskId.length > maxNameLength)
    return reply(context, errorOf(id, errorCodes.invalidParams, 'Invalid params: taskId'));
  if (mayReadTask(context, taskId, state)) {
    entry.taskId = taskId;
    return pass(context, message, entry, state);
  }
  const alias = createAlias(taskId);
  entry.aliases.push(alias);
  pass(context, { ...message, params: { ...params, taskId: alias.alias } }, entry, state);
}

function noteClient(context: GuardContext, params: JsonObject): void {
  const info = params['clientInfo'];
  const name = isObject(info) ? info['name'] : undefined;
  context.client.name = typeof name === 'string' ? name.slice(0, 200) : undefined;
}

/** `requestInfo` in 1.x, `request` in 2.x. */
function isHttp(extra: unknown): boolean {
  return isObject(extra) && (extra['requestInfo'] !== undefined || extra['request'] !== undefined);
}
