import type { Principal } from '@authsec/rbac-core';
import type { ServiceSource } from '../services/service-source.js';

/** The names of the login tools, in the order in which they are listed. */
export const oauthToolNames = [
  'oauth_start',
  'oauth_authenticate',
  'oauth_status',
  'oauth_logout',
  'oauth_user_info',
] as const;
export type OAuthToolName = (typeof oauthToolNames)[number];

/** The signed-in person with their effective rights: what handlers find as `_user_info`. */
export interface UserInfo {
  readonly email: string;
  readonly sub: string;
  readonly tenant_id: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
}

/**
 * Who is calling, at this moment. `unjudgeable`: this login was bound, but its rights cannot be judged now
 * (lease out and the Manager away, or the grant's end reached): what it was already shown stays listed and answers `code`.
 */
export type CallerState =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'active'; readonly principal: Principal; readonly userInfo: UserInfo }
  | {
      readonly kind: 'unjudgeable';
      readonly code: 'policy_unavailable' | 'session_expired';
      /** The last principal that was judged: only to tell what was already shown, never to allow a call. */
      readonly shownTo: Principal;
    };

/** A tool definition and a tool result as they go over the wire (MCP `Tool` and `CallToolResult`). */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown };
  readonly outputSchema?: { readonly type: 'object'; readonly [key: string]: unknown };
  readonly annotations?: Readonly<Record<string, unknown>>;
}
export interface ToolResult {
  readonly content: readonly { readonly type: 'text'; readonly text: string }[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
}

/** What the session needs to know of the guarded server that it belongs to. */
export interface GuardedServer {
  /** Names, sorted, of what `tools/list` now shows beyond login and public tools. */
  accessibleTools(): Promise<readonly string[]>;
  /** The `clientInfo` name of `initialize`, as reported by the client. */
  clientName(): string | undefined;
  /** The IP address of the client, where the transport knows it: shown to the person, and what limits logins by network. */
  clientAddress?(): string | undefined;
  /** Digest of the tool manifest of the server, once it is known. */
  manifestDigest?(): string | undefined;
  /** True over stdio: the server runs on the person's machine, and serves them alone. */
  isLocal?(): boolean;
  /** False where a request cannot be tied to a transport session (stateless HTTP): the login tools answer `session_required`. */
  hasTransportSession(): boolean;
}

/** The in-band login of one MCP transport session (or stdio process); made by `authsec()`, used by the guard. */
export interface CallerSession {
  /** Never waits; asked again for each message. */
  state(): CallerState;
  /** Called after what `state` answers may have changed; returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
  readonly oauthTools: readonly ToolDefinition[];
  /** Credentials of services in the name of whoever is signed in; undefined where there are none. */
  readonly services?: ServiceSource;
  /** Never throws for what a client can cause: failures are results with `isError`. */
  callOAuthTool(name: OAuthToolName, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult>;
  /** The transport session is over: a pending login is void, the Manager's session is ended. */
  close(): Promise<void>;
}
