import { userOf } from '../call-pipeline.js';
import { restoreAliases } from './aliases.js';
import { callOf } from './caller-context.js';
import type { GuardContext } from './guard-context.js';
import { type RpcMessage, type RpcNotification, isRequestId, paramsOf } from './json-rpc.js';
import { mayReadTask } from './passage.js';
import type { SendOptions } from './transport-hooks.js';

/** Notifications that say nothing of what the server has. */
const openNotifications: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/cancelled',
  'notifications/elicitation/complete',
]);

/** What the server sends that is no answer: `held` where it is not for this caller, `list` where it is ours to say. */
export function judgeSending(
  context: GuardContext,
  message: RpcMessage,
  options: SendOptions,
): 'pass' | 'held' | 'list' {
  if (!('method' in message) || 'id' in message) return 'pass';
  const { method } = message;
  if (method === 'notifications/tools/list_changed') return 'list';
  if (method === 'notifications/tasks/status') return isOfOwnTask(context, message) ? 'pass' : 'held';
  if (openNotifications.has(method)) return 'pass';
  const user = userOf(context.pipeline.identify());
  if (user !== undefined) return 'pass';
  return isBesideCall(context, options) ? 'pass' : 'held';
}

/** Puts back the names of all that is in flight, in a notification or a request of the server's. */
export function restoreAll(context: GuardContext, message: RpcMessage): RpcMessage {
  const aliases = [...context.inFlight.entries()].flatMap((entry) => entry.aliases);
  return restoreAliases(message, aliases);
}

function isOfOwnTask(context: GuardContext, message: RpcNotification): boolean {
  const { taskId } = paramsOf(message);
  return typeof taskId === 'string' && mayReadTask(context, taskId, context.pipeline.identify());
}

/** Said from within a call that nobody in particular made: a public tool's. */
function isBesideCall(context: GuardContext, options: SendOptions): boolean {
  const related = options?.relatedRequestId;
  const entry = isRequestId(related) ? context.inFlight.get(related) : undefined;
  const call = entry?.call ?? callOf(undefined);
  return call?.owner === context.owner && call.lookAgain !== undefined && call.user === undefined;
}
