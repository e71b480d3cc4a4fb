import type { CallerState, UserInfo } from '../session/caller-session.js';
import { beginCall } from '../telemetry/call-span.js';
import { userOf } from '../call-pipeline.js';
import type { Entry, GuardContext } from './guard-context.js';
import { type RpcRequest, type RpcResponse, paramsOf } from './json-rpc.js';
import type { Verdict } from './verdict.js';

/** What was decided about one `tools/call`, for the author. Nothing of it is for the caller. */
export interface ToolDecision {
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
  { overHttp, run }: { overHttp: boolean; run: () => void },
): void {
  const span = beginCall({ params: paramsOf(message), transport: overHttp ? 'tcp' : 'pipe' });
  if (!span) return run();
  entry.span = span;
  span.run(run);
}

/** Tells of a decision whoever asked to be told; what that throws decides nothing. */
export function tellDecision(
  context: Pick<GuardContext, 'log' | 'onDecision'>,
  entry: Pick<Entry, 'span'>,
  { tool, verdict, state }: { tool: string; verdict: Verdict; state: CallerState },
): void {
  const code = verdict.kind === 'allowed' ? 'allowed' : verdict.code;
  entry.span?.decided({ tool: code === 'unknown_tool' ? undefined : tool, outcome: verdict.kind, code });
  if (!context.onDecision) return;
  const why = verdict.kind === 'hidden' ? verdict.why : () => `${JSON.stringify(tool)}: ${code}`;
  try {
    context.onDecision({ tool, outcome: verdict.kind, code, why, user: userOf(state) });
  } catch (error) {
    context.log.error('onDecision failed', { error: String(error) });
  }
}

/** The end of a `tools/call`; undefined where it was not answered. */
export function endCall(entry: Pick<Entry, 'span'> | undefined, response: RpcResponse | undefined): void {
  entry?.span?.end(response);
}
