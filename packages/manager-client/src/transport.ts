/** One HTTP request; `url` is absolute. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** The template of its path, where it is a route of the contract: what may be said of the request in public. */
  readonly route?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Milliseconds until the whole answer must be there. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The whole answer, read to its end and within the size limit; redirects are answers, never followed. */
export interface TransportResponse {
  readonly status: number;
  header(name: string): string | null;
  readonly body: string;
}

/** How requests travel. Rejects with ManagerClientError `timeout`, `unreachable`, `aborted` or `invalid_response`. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
}
