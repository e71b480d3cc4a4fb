import { ManagerClientError } from '@authsec/manager-client';
import { AuthSecError, type AuthSecErrorCode, isServiceErrorCode } from '../authsec-error.js';

/** What the Manager's refusal of a credential is to a tool. Holds nothing but codes and the Manager's own words. */
export function toServiceError(service: string, error: unknown, connectUrl?: string): AuthSecError {
  if (error instanceof AuthSecError) return error;
  if (!(error instanceof ManagerClientError)) {
    return new AuthSecError('manager_unavailable', `${service}: the Manager could not be asked for a credential`);
  }
  const message = `${service}: ${error.code}: ${error.message}`;
  return new AuthSecError(codeOf(error), message, { cause: error, ...(connectUrl !== undefined && { connectUrl }) });
}

function codeOf({ code }: ManagerClientError): AuthSecErrorCode {
  if (code === 'not_found') return 'service_unknown';
  if (code === 'session_ended') return 'session_expired';
  return isServiceErrorCode(code) ? code : 'manager_unavailable';
}
