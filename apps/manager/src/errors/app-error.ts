import type { AppErrorCode } from './codes.js';

export interface FieldError {
  /** JSON pointer (RFC 6901) into the body, or `/query/name`, `/path/name`. */
  readonly pointer: string;
  readonly detail: string;
}

export interface AppErrorOptions {
  readonly cause?: unknown;
  readonly fields?: readonly FieldError[];
  /** Extra response headers, e.g. `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The one error of the Manager: `code` decides the answer, `message` is for the log only. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly fields: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: AppErrorCode,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fields = options.fields;
    this.headers = options.headers ?? {};
  }
}
