import type { Problem, WireCode } from './contract/problem.js';

/** Why a call gave no answer that can be relied on: the Manager's own code, or what happened on the way. */
export type ManagerClientErrorCode =
  WireCode | 'timeout' | 'unreachable' | 'aborted' | 'invalid_response' | 'token_request_failed';

export interface ManagerClientErrorDetails {
  /** The HTTP status, where there was an answer. */
  status?: number | undefined;
  /** To quote to the Manager's operator. */
  requestId?: string | undefined;
  /** What the Manager asked to wait (Retry-After), in milliseconds. */
  retryAfterMs?: number | undefined;
  /** For `invalid_request`: JSON pointers (RFC 6901) and what is wrong with each. */
  fields?: Problem['errors'];
  cause?: unknown;
}

/** Every failure of the client except misuse (a TypeError). Holds no token, secret or body. */
export class ManagerClientError extends Error {
  override readonly name = 'ManagerClientError';
  readonly code: ManagerClientErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly fields: Problem['errors'];

  constructor(code: ManagerClientErrorCode, message: string, details: ManagerClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.fields = details.fields;
  }
}
