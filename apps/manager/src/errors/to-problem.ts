import type { Problem } from '@authsec/manager-client/contract';
import { translateDatabaseError } from '../db/translate-database-error.js';
import { AppError } from './app-error.js';
import { errorDefinitions } from './codes.js';

/** A database that is down is `tenant_unavailable`, whatever else is not an AppError `internal_error`. */
export function toAppError(thrown: unknown): AppError {
  const error = translateDatabaseError(thrown);
  if (error instanceof AppError) return error;
  return new AppError(
    'internal_error',
    error instanceof Error ? error.message : 'a value that is no error was thrown',
    {
      cause: error,
    },
  );
}

/** The RFC 9457 body of an error. */
export function toProblem(error: AppError, requestId: string): Problem {
  const { status, title, detail } = errorDefinitions[error.code];
  return {
    type: `urn:authsec:error:${error.code}`,
    title,
    status,
    detail,
    code: error.code,
    request_id: requestId,
    ...(error.fields && { errors: error.fields.map((field) => ({ ...field })) }),
  };
}
