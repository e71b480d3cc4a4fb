import { performance } from 'node:perf_hooks';
import type { Logger } from './author-log.js';
import { createCallPipeline, userOf } from './call-pipeline.js';
import { createAskServer } from './guard/ask-server.js';
import { clientAddressOf } from './guard/client-address.js';
import type { GuardContext } from './guard/guard-context.js';
import { type InFlightLimits, createInFlight } from './guard/in-flight.js';
import type { RpcMessage, RpcResponse } from './guard/json-rpc.js';
import { makeAnswer } from './guard/make-answer.js';
import type { OpenedServer } from './guard/mcp-server.js';
import { endCall, type ToolDecision } from './guard/observe-call.js';
import { createOwnLists, listAllTools } from './guard/own-lists.js';
import { deliverAs } from './guard/passage.js';
import { receive } from './guard/receive.js';
import { judgeSending, restoreAll } from './guard/send-beside.js';
import type { ServerTools } from './guard/server-tools.js';
import { stdinOf } from './guard/stdio-transport.js';
import { createTaskOwners } from './guard/task-owners.js';
import { type GuardableTransport, type SendOptions, hookTransport } from './guard/transport-hooks.js';
import type { Manifests } from './manifest/manifests.js';
import { createServerManifest } from './manifest/server-manifest.js';
import { endServices } from './services/call-context.js';
import type { CallerSession, GuardedServer } from './session/caller-session.js';
import type { ToolRegistry } from './tool-registry.js';

export interface TransportGuard {
  /** The server is connected. */
  started(): void;
  /** Also while the rights of the person cannot be judged. */
  isSignedIn(): boolean;
  /** The transport is closed, or the server could not connect to it. */
  close(): void;
}

/**
 * The one place where messages are let through, filtered or answered. Stands on a transport before the server connects
 * to it; throws `transport_already_guarded`.
 */
export function createTransportGuard(options: {
  readonly transport: GuardableTransport;
  readonly owner: object;
  readonly opened: OpenedServer;
  readonly tools: ServerTools;
  readonly registry: ToolRegistry;
  readonly createSession: (guarded: GuardedServer) => CallerSession;
  readonly manifests?: Manifests | undefined;
  readonly log: Logger;
  readonly onDecision?: ((decision: ToolDecision) => void) | undefined;
  readonly limits: InFlightLimits;
}): TransportGuard {
  const { transport, owner, opened, tools, registry, createSession, manifests, log, limits } = options;

  const hooks = hookTransport(transport, {
    received: (message, extra) => receive(context, message, extra),
    sending,
    closed: close,
  });
  const client: GuardContext['client'] = { name: undefined, initialized: false, stateless: false };
  const stdin = stdinOf(transport);
  const session = createSession({
    accessibleTools: () => lists.accessibleTools(),
    clientName: () => client.name,
    clientAddress: () => clientAddressOf(transport),
    manifestDigest: () => manifest?.digest(),
    isLocal: () => stdin !== undefined,
    hasTransportSession: () => !client.stateless,
  });
  const server = createAskServer((request, { extra, state }) =>
    deliverAs(context, { owner, user: userOf(state) }, request, extra),
  );
  const context: GuardContext = {
    owner,
    opened,
    tools,
    session,
    pipeline: createCallPipeline({ session, registry, log }),
    hooks,
    inFlight: createInFlight(limits),
    tasks: createTaskOwners(),
    log,
    onDecision: options.onDecision,
    ask: server.ask,
    answer: (response) => hooks.send(response).catch(hooks.report),
    sessionId: () => transport.sessionId,
    flushLists: () => lists.watch.flush(),
    now: () => performance.now(),
    client,
    capabilities: {},
  };
  const lists = createOwnLists(context, registry);
  const manifest =
    manifests && createServerManifest({ manifests, tools, registry, listTools: () => listAllTools(context), log });
  const unsubscribe = session.onChange(() => lists.watch.touch());
  let isClosed = false;
  // The transport of stdio does not say that its client is gone; a login must not outlive it.
  for (const event of ['end', 'close'] as const) stdin?.once(event, close);

  return {
    started() {
      lists.watch.touch();
      manifest?.refresh();
    },
    isSignedIn: () => !isClosed && context.pipeline.identify().kind !== 'anonymous',
    close,
  };

  function sending(message: RpcMessage, sendOptions: SendOptions): Promise<void> {
    if (!('method' in message) && 'id' in message) return sendResponse(message, sendOptions);
    const judged = judgeSending(context, message, sendOptions);
    if (judged === 'pass') return hooks.send(restoreAll(context, message), sendOptions);
    if (judged === 'list') {
      lists.watch.touch();
      manifest?.refresh();
    } else log.debug('a notification was held back: it is for signed-in people');
    return Promise.resolve();
  }

  function sendResponse(response: RpcResponse, sendOptions: SendOptions): Promise<void> {
    if (server.take(response)) return Promise.resolve();
    const entry = context.inFlight.get(response.id);
    const made = makeAnswer(context, response, entry);
    const send = (answer: RpcResponse): Promise<void> => {
      endCall(context.inFlight.close(response.id), answer);
      try {
        return hooks.send(answer, sendOptions);
      } finally {
        endServices(entry?.call, entry?.tool?.isTask);
      }
    };
    return made instanceof Promise ? made.then(send) : send(made);
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    unsubscribe();
    manifest?.close();
    server.close();
    for (const entry of context.inFlight.entries()) endCall(entry, undefined);
    for (const entry of context.inFlight.entries()) {
      entry.abort?.abort();
      endServices(entry.call, true);
    }
    session.close().catch((error: unknown) => log.warn('a session did not end cleanly', { error: String(error) }));
  }
}
