import { AppError } from '../../errors/app-error.js';
import type { AppErrorCode } from '../../errors/codes.js';
import { type SecretStoreFailure, SecretStoreError } from '../../ports/secret-store.js';

const codes: Readonly<Record<SecretStoreFailure, AppErrorCode>> = {
  unavailable: 'secret_store_unavailable',
  denied: 'secret_store_denied',
  missing: 'secret_missing',
  conflict: 'conflict',
  // Somebody else's secret under our address: nothing that a caller could do anything about.
  foreign: 'internal_error',
  unsupported: 'service_kind_unavailable',
  database: 'service_unavailable',
};

/** A failure of the secret store as an AppError; whatever else is thrown stays what it is. */
export function translateStoreError(error: unknown): unknown {
  if (!(error instanceof SecretStoreError)) return error;
  return new AppError(codes[error.failure], `secret store: ${error.message}`, { cause: error });
}

/** Runs a step at the secret store; rejects with AppError. */
export async function atStore<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw translateStoreError(error);
  }
}
