/** What a login tool answers as `error`; oauth-tools/error-texts.ts has the words for each. */
export const loginErrorCodes = [
  'session_required',
  'session_closed',
  'invalid_arguments',
  'too_many_attempts',
  'no_pending_login',
  'login_expired',
  'login_superseded',
  'login_refused',
  'access_denied',
  'session_id_mismatch',
  'authentication_in_progress',
  'code_refused',
  'code_already_used',
  'paste_token_not_enabled',
  'token_invalid',
  'token_not_for_this_session',
  'token_already_used',
  'manager_unavailable',
  'not_signed_in',
  'policy_unavailable',
  'session_expired',
  'internal_error',
] as const;
export type LoginErrorCode = (typeof loginErrorCodes)[number];

export function isLoginErrorCode(code: string): code is LoginErrorCode {
  return (loginErrorCodes as readonly string[]).includes(code);
}

/** Why a tool has no credential for a service, or may not use it so; services/service-error-texts.ts has the words for each. */
export const serviceErrorCodes = [
  'service_denied',
  'service_unknown',
  'service_not_connected',
  'service_raw_denied',
  'service_kind_unavailable',
  'service_unavailable',
  'secret_store_unavailable',
  'secret_store_denied',
  'secret_missing',
  'service_host_refused',
  'credential_escaped',
] as const;
export type ServiceErrorCode = (typeof serviceErrorCodes)[number];

export function isServiceErrorCode(code: string): code is ServiceErrorCode {
  return (serviceErrorCodes as readonly string[]).includes(code);
}

/** Mistakes of the server's author, found when it starts or when a handler asks for what is not there. */
export type ProtectionErrorCode =
  | 'ambiguous_requirement'
  | 'invalid_requirement'
  | 'reserved_tool_name'
  | 'unknown_tool'
  | 'user_info_missing'
  | 'not_guarded'
  | 'already_protected'
  | 'already_connected'
  | 'transport_already_guarded'
  | 'reserved_argument'
  | 'unsupported_mcp_sdk';

export type AuthSecErrorCode = LoginErrorCode | ServiceErrorCode | ProtectionErrorCode;

/** Every failure of the SDK except misuse (a TypeError). `message` is for logs; holds no token, secret or code. */
export class AuthSecError extends Error {
  override readonly name = 'AuthSecError';
  readonly code: AuthSecErrorCode;
  /** Of `service_not_connected`: where the person connects their account, if the Manager gave a link. */
  readonly connectUrl: string | undefined;

  constructor(code: AuthSecErrorCode, message: string, options: { cause?: unknown; connectUrl?: string } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.connectUrl = options.connectUrl;
  }
}
