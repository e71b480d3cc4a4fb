import { userOf } from '../call-pipeline.js';
import { type CallerState, type OAuthToolName, oauthToolNames } from '../session/caller-session.js';
import { createAlias } from './aliases.js';
import { type Call, runAs } from './caller-context.js';
import type { Entry, GuardContext } from './guard-context.js';
import {
  type JsonObject,
  type RpcRequest,
  errorCodes,
  errorOf,
  isObject,
  maxNameLength,
  paramsOf,
  resultOf,
} from './json-rpc.js';
import { logHidden, tellDecision } from './observe-call.js';
import { listAllTools } from './own-lists.js';
import { pass, reply } from './passage.js';
import { dropReservedArguments, isReservedToolName } from './reserved-names.js';
import { unavailableError, unavailableResult } from './unavailable.js';
import type { Verdict } from './verdict.js';

const loginTools: ReadonlySet<string> = new Set(oauthToolNames);

/** `tools/call`: the login tools are answered here, what this caller may call is let through, all else is unknown. */
export function receiveCall(context: GuardContext, message: RpcRequest, entry: Entry, state: CallerState): void {
  const { id } = message;
  const params = paramsOf(message);
  const { name } = params;
  if (typeof name !== 'string' || name.length > maxNameLength) {
    const text = `Invalid params: name must be a string of at most ${maxNameLength} characters`;
    return reply(context, errorOf(id, errorCodes.invalidParams, text));
  }
  if (loginTools.has(name)) return void callLoginTool(context, message, entry, name as OAuthToolName);
  entry.tool = { name, isTask: Object.hasOwn(params, 'task') };

  const verdict = verdictOn(context, state, name);
  if (!mayPass(context, verdict, name)) return void callListed(context, message, entry, name);
  decided(context, message, entry, state, { verdict, name, isTool: context.tools.knows(name) });
}

/** A low-level server runs what its author wrote for whatever name comes: it gets none that is not known to be that of a tool. */
function mayPass({ tools, opened }: GuardContext, verdict: Verdict, name: string): boolean {
  if (!tools.listsItself() || !opened.handles('tools/call') || verdict.kind === 'unavailable') return true;
  return verdict.kind === 'allowed' && tools.isDeclared(name);
}

/** A low-level server is asked for its list, and what this caller may not see is answered here like what is not in it. */
async function callListed(context: GuardContext, message: RpcRequest, entry: Entry, name: string): Promise<void> {
  try {
    const list = (await listAllTools(context, context.pipeline.identify())) ?? [];
    const isListed = list.some((tool) => isObject(tool) && tool['name'] === name);
    const state = context.pipeline.identify();
    const verdict = isListed ? verdictOn(context, state, name) : unknownTool(name);
    if (verdict.kind === 'hidden' || entry.cancelled) {
      tellDecision(context, entry, { tool: name, verdict, state, isTool: isListed });
      if (verdict.kind === 'hidden') logHidden(context.log, verdict.why, state);
      return reply(context, errorOf(message.id, errorCodes.invalidParams, `Unknown tool: ${name}`));
    }
    decided(context, message, entry, state, { verdict, name, isTool: true });
  } catch (error) {
    context.log.error('a call could not be judged', { error: String(error) });
    reply(context, errorOf(message.id, errorCodes.internal, 'Internal error'));
  }
}

function decided(
  context: GuardContext,
  message: RpcRequest,
  entry: Entry,
  state: CallerState,
  { verdict, name, isTool }: { readonly verdict: Verdict; readonly name: string; readonly isTool: boolean },
): void {
  const { id } = message;
  tellDecision(context, entry, { tool: name, verdict, state, isTool });
  switch (verdict.kind) {
    case 'allowed': {
      const { owner, session, log } = context;
      const tool = { name, session, log };
      const call: Call = { owner, user: verdict.user, tool, lookAgain: () => lookAgain(context, call, name) };
      const user = context.tools.listsItself() ? verdict.user : undefined;
      return pass(context, withParams(message, name, user), entry, state, call);
    }
    case 'unavailable':
      context.log.debug(`${JSON.stringify(name)} was not called: ${verdict.code}`);
      return reply(
        context,
        entry.tool?.isTask ? unavailableError(id, verdict.code) : resultOf(id, unavailableResult(verdict.code)),
      );
    case 'hidden': {
      logHidden(context.log, verdict.why, state);
      const alias = createAlias(name);
      entry.aliases.push(alias);
      const call: Call = { owner: context.owner, user: undefined };
      return pass(context, withParams(message, alias.alias, undefined), entry, state, call);
    }
  }
}

/** What the server does not have is hidden like what this caller may not see: both take one way. */
function verdictOn(context: GuardContext, state: CallerState, name: string): Verdict {
  if (isReservedToolName(name) || !context.tools.has(name)) return unknownTool(name);
  return context.pipeline.decide(state, name);
}

function unknownTool(name: string): Verdict {
  return { kind: 'hidden', code: 'unknown_tool', why: () => `no tool ${JSON.stringify(name)} is registered` };
}

function lookAgain(context: GuardContext, call: Call, name: string): Verdict {
  const state = context.pipeline.identify();
  const verdict = context.pipeline.decide(state, name);
  if (verdict.kind !== 'allowed' || call.user === undefined) {
    return verdict.kind === 'allowed' ? { kind: 'allowed', user: undefined } : verdict;
  }
  const user = userOf(state);
  if (user?.sub !== call.user.sub || user.tenant_id !== call.user.tenant_id) {
    const why = () => `${JSON.stringify(name)} was called by someone who is no longer signed in`;
    return { kind: 'hidden', code: 'person_changed', why };
  }
  call.user = user;
  return verdict;
}

function withParams(message: RpcRequest, name: string, user: Call['user']): RpcRequest {
  const given = paramsOf(message)['arguments'];
  const args: unknown = isObject(given) ? dropReservedArguments(given) : given;
  const joined = user && (args === undefined || isObject(args)) ? { ...args, _user_info: user } : args;
  const params: JsonObject = { ...paramsOf(message), name, ...(joined === undefined ? {} : { arguments: joined }) };
  return { ...message, params };
}

async function callLoginTool(
  context: GuardContext,
  message: RpcRequest,
  entry: Entry,
  name: OAuthToolName,
): Promise<void> {
  const { id } = message;
  if (Object.hasOwn(paramsOf(message), 'task')) {
    return reply(context, errorOf(id, errorCodes.methodNotFound, `Tool ${name} does not support task augmentation`));
  }
  const given = paramsOf(message)['arguments'];
  const args = isObject(given) ? dropReservedArguments(given) : {};
  const abort = new AbortController();
  entry.abort = abort;
  entry.span?.decided({ tool: name, outcome: 'login', code: 'login_tool' });
  const nobody: Call = { owner: context.owner, user: undefined };
  try {
    const result = await runAs(nobody, () => context.session.callOAuthTool(name, args, abort.signal));
    await context.flushLists();
    reply(context, resultOf(id, result));
  } catch (error) {
    context.log.error(`${name} failed`, { error: String(error) });
    reply(context, errorOf(id, errorCodes.internal, 'Internal error'));
  }
}
