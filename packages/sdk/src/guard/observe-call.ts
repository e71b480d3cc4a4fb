import type { Logger } from '../author-log.js';
import type { CallerState, UserInfo } from '../session/caller-session.js';
import { beginCall } from '../telemetry/call-span.js';
import { userOf } from '../call-pipeline.js';
import type { Entry, GuardContext } from './guard-context.js';
import { type RpcRequest, type RpcResponse, paramsOf } from './json-rpc.js';
import { protocolOf } from './modern-answer.js';
import type { Verdict } from './verdict.js';

/** What was decided about one tool and one caller, for the author. Nothing of it is for the caller. */
export interface ToolDecision {
  /** What the caller asked for: to call it, or to be shown what there is. */
  readonly method: 'tools/call' | 'tools/list';
  /** As the caller wrote it: with the code `unknown_tool` it is no tool's name. */
  readonly tool: string;
  /** `hidden`: the caller was answered as if there were no such tool. */
  readonly outcome: 'allowed' | 'hidden' | 'unavailable';
  /** `allowed`, or why not: `role_missing`, `not_signed_in`, `unknown_tool`, `policy_unavailable`, … */
  readonly code: string;
  /** The same in words. */
  readonly why: () => string;
  readonly user: UserInfo | undefined;
}

/** Runs what becomes of a `tools/call` as its span, where there is telemetry. */
export function observeCall(
  message: RpcRequest,
  entry: Entry,
  { overHttp, agreed, run }: { overHttp: boolean; agreed: string | undefined; run: () => void },
): void {
  const params = paramsOf(message);
  const protocol = protocolOf(params) ?? agreed;
  const span = beginCall({ id: message.id, params, protocol, transport: overHttp ? 'tcp' : 'pipe' });
  if (!span) return run();
  entry.span = span;
  span.run(run);
}

type Told = Pick<GuardContext, 'log' | 'onDecision'>;
interface Decided {
  readonly tool: string;
  readonly verdict: Verdict;
  readonly state: CallerState;
}

/** Tells of the decision about a `tools/call` whoever asked to be told; `isTool`: its name is not one that the caller made up. */
export function tellDecision(
  context: Told,
  entry: Pick<Entry, 'span'>,
  { isTool, ...decided }: Decided & { readonly isTool: boolean },
): void {
  const { tool, verdict } = decided;
  entry.span?.decided({ tool: isTool ? tool : undefined, outcome: verdict.kind, code: codeOf(verdict) });
  tell(context, 'tools/call', decided);
}

/** Why a call was answered as one of an unknown tool. */
export function logHidden(log: Logger, why: () => string, state: CallerState): void {
  log.debug(why(), personOf(state));
}

/** Before the tools that are not in a list: whose list it is, and what they hold, so that a name that differs is seen. */
export function logListOf(log: Logger, state: CallerState): void {
  if (state.kind === 'unjudgeable') log.debug(`tools stay listed as they were, and answer ${state.code}`);
  if (state.kind !== 'active') return;
  log.debug('the tools of a signed-in person are listed', { ...personOf(state), ...state.principal.grants });
}

/** By their id: the line of their login has the same. */
function personOf(state: CallerState): { sub: string; tenant: string } | undefined {
  return state.kind === 'active' ? { sub: state.userInfo.sub, tenant: state.userInfo.tenant_id } : undefined;
}

/** A second look, while the arguments were validated, said otherwise than the first. */
export function tellRefusal(context: Told, decided: Decided): void {
  if (decided.verdict.kind === 'hidden') logHidden(context.log, decided.verdict.why, decided.state);
  tell(context, 'tools/call', decided);
}

/** Why a tool is not in the list that a caller gets, for the author's log. */
export function tellListed(context: Told, decided: Decided): void {
  const { verdict, state } = decided;
  if (verdict.kind === 'hidden') logHidden(context.log, () => `not listed: ${verdict.why()}`, state);
  tell(context, 'tools/list', decided);
}

/** What the author's function throws, or is rejected with later, decides nothing. */
function tell({ log, onDecision }: Told, method: ToolDecision['method'], { tool, verdict, state }: Decided): void {
  if (!onDecision) return;
  const code = codeOf(verdict);
  const why = verdict.kind === 'hidden' ? verdict.why : () => `${JSON.stringify(tool)}: ${code}`;
  const failed = (error: unknown): void => log.error('onDecision failed', { error: String(error) });
  try {
    const decision = { method, tool, outcome: verdict.kind, code, why, user: userOf(state) };
    const told: unknown = onDecision(Object.freeze(decision));
    if (told !== undefined) Promise.resolve(told).catch(failed);
  } catch (error) {
    failed(error);
  }
}

function codeOf(verdict: Verdict): string {
  return verdict.kind === 'allowed' ? 'allowed' : verdict.code;
}

/** The end of a `tools/call`; undefined where it was not answered. */
export function endCall(entry: Pick<Entry, 'span'> | undefined, response: RpcResponse | undefined): void {
  entry?.span?.end(response);
}
