import { type RequestId, type RpcResponse, errorCodes, errorOf } from './json-rpc.js';
import type { CallerState, ToolResult } from '../session/caller-session.js';

export type UnavailableCode = Extract<CallerState, { kind: 'unjudgeable' }>['code'];

const texts: Readonly<Record<UnavailableCode, { readonly message: string; readonly next_step: string }>> = {
  policy_unavailable: {
    message: 'It cannot be decided at this moment whether this person may use the tool. Nothing was done.',
    next_step: 'Wait half a minute and call the tool again. The login is still there: do not start a new one.',
  },
  session_expired: {
    message: 'The login of this session is over. Nothing was done.',
    next_step: 'Call oauth_start, give the person its authorization_url, then call oauth_authenticate.',
  },
};

/**
 * What a tool that this login was already shown answers while its rights cannot be judged. Text only: a client holds `structuredContent` to the tool's own output schema, in errors too.
 */
export function unavailableResult(code: UnavailableCode): ToolResult {
  const content = { error: code, ...texts[code] };
  return { content: [{ type: 'text', text: JSON.stringify(content) }], isError: true };
}

/** The same where the answer cannot be a tool's result. */
export function unavailableError(id: RequestId, code: UnavailableCode): RpcResponse {
  const { message } = texts[code];
  return errorOf(id, errorCodes.internal, `${code}: ${message}`, { error: code, ...texts[code] });
}
