import { AuthSecError } from '../authsec-error.js';
import { withoutSecrets } from '../services/live-secrets.js';
import type { RpcMessage } from './json-rpc.js';

export type MessageHandler = (message: RpcMessage, extra?: unknown) => void;
export type SendOptions = { readonly relatedRequestId?: unknown } | undefined;

/** The part of an MCP transport, of any SDK version, that the guard takes hold of. */
export interface GuardableTransport {
  onmessage?: MessageHandler | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  readonly sessionId?: string | undefined;
  send(message: RpcMessage, options?: SendOptions): Promise<void>;
}

export interface TransportHooks {
  /** To the server, unguarded. */
  deliver(message: RpcMessage, extra: unknown): void;
  /** To the client, unguarded. */
  send(message: RpcMessage, options?: SendOptions): Promise<void>;
  readonly report: (error: unknown) => void;
}

const guardedTransports = new WeakSet<object>();

/**
 * Takes hold of a transport in place, before the server connects to it: some of its users test its class, so it is not
 * wrapped. Throws `transport_already_guarded`.
 */
export function hookTransport(
  transport: GuardableTransport,
  guard: {
    received(message: RpcMessage, extra: unknown): void;
    sending(message: RpcMessage, options: SendOptions): Promise<void>;
    closed(): void;
  },
): TransportHooks {
  if (guardedTransports.has(transport)) {
    throw new AuthSecError('transport_already_guarded', 'this transport belongs to another protected server');
  }
  guardedTransports.add(transport);

  const observer = transport.onmessage;
  const passed = new WeakSet<object>();
  let isWrapped = false;
  const prototypeSetter = setterOf(transport);
  let server: MessageHandler | undefined;
  let guarded: MessageHandler | undefined;

  // One for each handler: where a later one was put around an earlier one, what has been through the guard goes on inwards.
  const guardedBefore =
    (handler: MessageHandler): MessageHandler =>
    (message, extra) => {
      if (passed.has(message)) return handler(message, extra);
      observer?.(message, extra);
      guard.received(message, extra);
    };
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    enumerable: true,
    get: () => guarded,
    set(handler: MessageHandler | undefined) {
      isWrapped ||= server !== undefined && handler !== undefined;
      server = handler;
      guarded = handler && guardedBefore(handler);
      prototypeSetter?.(guarded);
    },
  });

  const sendBare = transport.send.bind(transport);
  const send: TransportHooks['send'] = (message, options) => sendBare(withoutSecrets(message), options);
  transport.send = (message, options) => guard.sending(message, options);

  const onclose = transport.onclose;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- an MCP transport has no listeners
  transport.onclose = () => {
    onclose?.();
    guard.closed();
  };

  return {
    deliver(message, extra) {
      if (isWrapped) passed.add(message);
      server?.(message, extra);
    },
    send,
    report: (error) => transport.onerror?.(error instanceof Error ? error : new Error(String(error))),
  };
}

function setterOf(transport: GuardableTransport): ((handler: MessageHandler | undefined) => void) | undefined {
  let owner: unknown = transport;
  while (typeof owner === 'object' && owner !== null) {
    const found = Object.getOwnPropertyDescriptor(owner, 'onmessage');
    if (found) return found.set?.bind(transport);
    owner = Object.getPrototypeOf(owner);
  }
  return undefined;
}
