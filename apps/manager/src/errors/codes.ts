import type { WireCode } from '@authsec/manager-client/contract';

export type AppErrorCode = WireCode;

export interface ErrorDefinition {
  readonly status: number;
  readonly title: string;
  /** What the caller is told; the message of the error itself goes to the log only. */
  readonly detail: string;
}

/** Each error that the Manager's API can answer with; held equal to docs/errors.md and the contract by a test. */
export const errorDefinitions: Readonly<Record<AppErrorCode, ErrorDefinition>> = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    detail: 'The request does not have the shape that this endpoint takes.',
  },
  invalid_token: {
    status: 401,
    title: 'Invalid token',
    detail: 'This endpoint takes an access token of this issuer that is still valid.',
  },
  insufficient_permission: {
    status: 403,
    title: 'Insufficient permission',
    detail: 'The token is valid, but what its holder may do does not include this.',
  },
  not_found: { status: 404, title: 'Not found', detail: 'There is no such thing here.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This path exists, but not with this method.',
  },
  payload_too_large: {
    status: 413,
    title: 'Payload too large',
    detail: 'The body is larger or deeper than this endpoint reads.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'The body must be application/json in UTF-8, without content encoding.',
  },
  conflict: { status: 409, title: 'Conflict', detail: 'This does not fit what is already there.' },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait as long as Retry-After says, then try again.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something failed on our side; the operator finds it by the request_id.',
  },
  tenant_unavailable: {
    status: 503,
    title: 'Tenant unavailable',
    detail: 'The tenant cannot be served at the moment.',
  },
  person_token_invalid: {
    status: 422,
    title: "The person's token is not valid",
    detail: 'It must be an access token of this issuer, issued to the calling application, and not have expired.',
  },
  token_not_for_this_session: {
    status: 422,
    title: 'Token of another session',
    detail: 'The token belongs to another login session than the one presented.',
  },
  token_already_used: {
    status: 409,
    title: 'Token already used',
    detail: 'The login was already bound; each login binds once.',
  },
  session_ended: { status: 410, title: 'Session ended', detail: 'The login has ended; the person signs in anew.' },
  ambiguous_requirement: {
    status: 422,
    title: 'Ambiguous requirement',
    detail: 'With two or more lists, requireAll must be said.',
  },
  invalid_requirement: {
    status: 422,
    title: 'Invalid requirement',
    detail: 'The requirement is not one that can be evaluated.',
  },
  service_denied: {
    status: 403,
    title: 'Service denied',
    detail: 'The rights of the person, or the application, do not cover this service.',
  },
  service_raw_denied: {
    status: 403,
    title: 'Raw credential denied',
    detail: 'The service is not marked for handing its raw credential to the code of a tool.',
  },
  service_not_connected: {
    status: 409,
    title: 'Not connected',
    detail: 'The person has to connect their own account at this service first.',
  },
  service_unavailable: {
    status: 502,
    title: 'Service unavailable',
    detail: 'The service gave no credential: it did not answer, or refused.',
  },
  service_kind_unavailable: {
    status: 422,
    title: 'Kind unavailable',
    detail: 'The secret store of this Manager has no dynamic credentials: they need Vault or OpenBao.',
  },
  secret_store_unavailable: {
    status: 503,
    title: 'Secret store unavailable',
    detail: 'The secret store does not answer at the moment; /readyz says more to the operator.',
  },
  secret_store_denied: {
    status: 503,
    title: 'Secret store denied',
    detail: "The secret store does not let the Manager read this: its policy is the operator's to put right.",
  },
  secret_missing: {
    status: 503,
    title: 'Secret missing',
    detail: 'The secret of the service is gone from the store: an administrator rotates it.',
  },
};
