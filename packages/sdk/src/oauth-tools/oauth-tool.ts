import { AuthSecError } from '../authsec-error.js';
import type { GuardedServer, ToolDefinition } from '../session/caller-session.js';
import type { LoginSession } from '../session/login-session.js';

export interface OAuthToolCall {
  readonly login: LoginSession;
  readonly server: GuardedServer;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** One login tool; `call` gives the structured content, and throws AuthSecError or ArgumentError. */
export interface OAuthTool {
  readonly definition: ToolDefinition;
  call(call: OAuthToolCall): Promise<Readonly<Record<string, unknown>>>;
}

/** A `session_id` that was given must be of this MCP session. */
export function assertOwn(login: LoginSession, sessionId: string | undefined): void {
  if (sessionId === undefined || login.owns(sessionId)) return;
  throw new AuthSecError('session_id_mismatch', 'the session_id is not of a login in this MCP session');
}
