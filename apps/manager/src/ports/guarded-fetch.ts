/** Why a URL that somebody gave was not fetched, or its answer not taken. */
export type FetchRefusal =
  'url' | 'scheme' | 'address' | 'redirect' | 'size' | 'encoding' | 'timeout' | 'aborted' | 'unreachable';

/** `message` is for the operator's log; it names the host and never a path or query. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';

  constructor(
    readonly reason: FetchRefusal,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export interface GuardedRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/**
 * The one way to a URL that a tenant, a client or a provider gave: https only, never to an address that is not public,
 * no redirect, a whole answer within limits of size and time. Rejects with FetchRefused.
 */
export interface GuardedFetch {
  (url: string, request?: GuardedRequest): Promise<Response>;
  close(): Promise<void>;
}
