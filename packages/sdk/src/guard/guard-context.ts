import type { Logger } from '../author-log.js';
import type { CallPipeline } from '../call-pipeline.js';
import type { CallerSession, CallerState } from '../session/caller-session.js';
import type { CallSpan } from '../telemetry/call-span.js';
import type { Alias } from './aliases.js';
import type { Call } from './caller-context.js';
import type { InFlight, Pending } from './in-flight.js';
import type { JsonObject, RpcResponse } from './json-rpc.js';
import type { OpenedServer } from './mcp-server.js';
import type { ToolDecision } from './observe-call.js';
import type { ServerTools } from './server-tools.js';
import type { TaskOwners } from './task-owners.js';
import type { TransportHooks } from './transport-hooks.js';

/** A request of the client that was let in: of what it carried only what the answer needs, since a client can have many. */
export interface Entry extends Pending {
  extra: unknown;
  readonly aliases: Alias[];
  /** Of protocol 2026-07-28 or later. */
  readonly isModern: boolean;
  /** Of a login tool's call, which the guard answers. */
  abort?: AbortController;
  /** How it was let through to the server. */
  call?: Call;
  /** Of a `tools/call`: the tool, and whether it was asked to run as a task. */
  tool?: { readonly name: string; readonly isTask: boolean };
  /** Of a `tools/call`, where there is telemetry. */
  span?: CallSpan;
  /** Of a `tasks/...` request that was let through under its own task id. */
  taskId?: string;
}

/** What the halves of one guard, incoming and outgoing, share: all of it is of one transport. */
export interface GuardContext {
  readonly owner: object;
  readonly opened: OpenedServer;
  readonly tools: ServerTools;
  readonly session: CallerSession;
  readonly pipeline: CallPipeline;
  readonly hooks: TransportHooks;
  readonly inFlight: InFlight<Entry>;
  readonly tasks: TaskOwners;
  readonly log: Logger;
  /** Of the author. */
  readonly onDecision?: ((decision: ToolDecision) => void) | undefined;
  /** Asks the server in the name of an entry, or of nobody in particular, and keeps the answer from the client. */
  ask(
    method: string,
    params: JsonObject,
    asked: { readonly extra: unknown; readonly state: CallerState },
  ): Promise<RpcResponse>;
  /** To the client, past the guard. */
  answer(response: RpcResponse): Promise<void>;
  /** The `Mcp-Session-Id`: not there at connect, nor on stdio. */
  sessionId(): string | undefined;
  /** Says what the session's own list has changed to, if it has. */
  flushLists(): Promise<void>;
  now(): number;
  /** What `initialize` told. */
  readonly client: { name: string | undefined; initialized: boolean; stateless: boolean; protocol?: string };
  /** What the server advertised. */
  capabilities: JsonObject;
}
