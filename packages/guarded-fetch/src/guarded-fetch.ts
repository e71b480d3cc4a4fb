import { fetch as undiciFetch } from 'undici';
import { createGuardedAgent, type GuardedAgentOptions } from './guarded-agent.js';

/** One request; bodies are whole, or a stream that is read once. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A `fetch` of its own connections. Redirects are answers, never followed; bodies come decompressed. */
export interface GuardedFetch {
  /** Rejects as fetch does, with AddressRefused as the `cause` where nothing may be sent there. */
  fetch(url: URL, request: GuardedRequest): Promise<Response>;
  /** Lets what is under way end. */
  close(): Promise<void>;
}

export function createGuardedFetch(options: GuardedAgentOptions): GuardedFetch {
  const dispatcher = createGuardedAgent(options);
  return {
    async fetch(url, { method, headers, body, signal }) {
      const response = await undiciFetch(url, {
        method,
        headers: [...headers],
        ...(body !== undefined && { body, duplex: 'half' as const }),
        ...(signal && { signal }),
        redirect: 'manual',
        dispatcher,
      });
      return response;
    },
    close: () => dispatcher.close(),
  };
}
