/** Why a URL that somebody gave was not fetched, or its answer not taken. */
export type FetchRefusal =
  'url' | 'scheme' | 'address' | 'redirect' | 'size' | 'encoding' | 'timeout' | 'aborted' | 'unreachable';

/** `message` is for the operator's log; it names the host and never a path or query. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
  /** Of the answer that was not taken. */
  readonly status: number | undefined;

  constructor(
    readonly reason: FetchRefusal,
    message: string,
    options: { cause?: unknown; status?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
  }
}

export interface GuardedRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** In PEM, for this request only. */
  readonly clientCertificate?: ClientCertificate;
}

export interface ClientCertificate {
  readonly certificate: string;
  readonly privateKey: string;
  /** Who is believed instead of the system's authorities. */
  readonly certificateAuthority?: string | undefined;
}

/**
 * The one way to a URL that a tenant, a client or a provider gave: https only, never to an address that is not public,
 * no redirect, a whole answer within limits of size and time. Rejects with FetchRefused.
 */
export interface GuardedFetch {
  (url: string, request?: GuardedRequest): Promise<Response>;
  close(): Promise<void>;
}
