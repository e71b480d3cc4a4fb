import { type AuthSecError, isLoginErrorCode, isServiceErrorCode, type ServiceErrorCode } from '../authsec-error.js';
import { errorTexts } from '../oauth-tools/error-texts.js';
import type { ToolResult } from '../session/caller-session.js';

const tellOperator =
  'Tell the person that the operator of this MCP server has to look at its log; calling again will not help before.';
const wait = 'Wait for some seconds and call the tool again, once or twice at most.';

/** What a model is told, so that it can tell the person what to do. */
const serviceErrorTexts: Readonly<Record<ServiceErrorCode, { readonly message: string; readonly nextStep: string }>> = {
  service_denied: {
    message: 'This person may not use the service that the tool needs. Nothing was asked of it.',
    nextStep:
      'Tell the person that whoever manages their rights can give them access; do not call the tool again before.',
  },
  service_unknown: {
    message: 'The service that the tool needs is not set up here.',
    nextStep: tellOperator,
  },
  service_not_connected: {
    message:
      'The person has not connected their account at the service that the tool needs, or the connection is over.',
    nextStep: 'Give the person connect_url to open in their browser; when they are done, call the tool again.',
  },
  service_raw_denied: {
    message: 'The tool asked for the credential of a service itself, which that service does not allow.',
    nextStep: tellOperator,
  },
  service_kind_unavailable: {
    message: 'The service that the tool needs is of a kind that cannot be used here.',
    nextStep: tellOperator,
  },
  service_unavailable: {
    message: 'The service that the tool needs cannot be reached, or did not give an answer that can be used.',
    nextStep: wait,
  },
  secret_store_unavailable: {
    message: 'The store that holds the credential of the service does not answer at the moment.',
    nextStep: wait,
  },
  secret_store_denied: {
    message: 'The store that holds the credential of the service does not give it out.',
    nextStep: tellOperator,
  },
  secret_missing: {
    message: 'There is no credential for the service that the tool needs.',
    nextStep: tellOperator,
  },
  service_host_refused: {
    message: 'The tool asked for an address that the service may not be used for. Nothing was sent there.',
    nextStep: tellOperator,
  },
  credential_escaped: {
    message: 'A credential was used after the call that it was for, or after its lease.',
    nextStep: tellOperator,
  },
};

const managerAway = { message: errorTexts.manager_unavailable.message, nextStep: wait };

/** The answer of a tool that failed for want of a credential, as text only (see unavailableResult); undefined for any other failure. */
export function serviceErrorResult({ code, connectUrl }: AuthSecError): ToolResult | undefined {
  const texts =
    code === 'manager_unavailable'
      ? managerAway
      : isServiceErrorCode(code)
        ? serviceErrorTexts[code]
        : isLoginErrorCode(code)
          ? errorTexts[code]
          : undefined;
  if (!texts) return undefined;
  const lacksLink = code === 'service_not_connected' && connectUrl === undefined;
  const said = {
    error: code,
    message: texts.message,
    next_step: lacksLink ? wait : texts.nextStep,
    ...(connectUrl !== undefined && { connect_url: connectUrl }),
  };
  return { content: [{ type: 'text', text: JSON.stringify(said) }], isError: true };
}
