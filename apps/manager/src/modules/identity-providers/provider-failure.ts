import { FetchRefused } from '../../ports/guarded-fetch.js';

/** A sign-in that ended at the provider or with its answer; `check` tells the operator which check it was. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';

  constructor(
    /** `<where>.<what>`, as in `id_token.nonce` or `token_endpoint.timeout`. */
    readonly check: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

const codes: ReadonlyMap<string, string> = new Map([
  ['OAUTH_KEY_SELECTION_FAILED', 'id_token.key'],
  ['OAUTH_JWT_USERINFO_EXPECTED', 'userinfo.form'],
  ['OAUTH_WWW_AUTHENTICATE_CHALLENGE', 'client.refused'],
  ['OAUTH_HTTP_REQUEST_FORBIDDEN', 'endpoint.scheme'],
  ['OAUTH_REQUEST_PROTOCOL_FORBIDDEN', 'endpoint.scheme'],
  ['OAUTH_MISSING_SERVER_METADATA', 'discovery.incomplete'],
  ['OAUTH_INVALID_SERVER_METADATA', 'discovery.malformed'],
  ['OAUTH_RESPONSE_IS_NOT_JSON', 'answer.not_json'],
  ['OAUTH_PARSE_ERROR', 'answer.not_json'],
  ['OAUTH_RESPONSE_IS_NOT_CONFORM', 'answer.status'],
  ['OAUTH_TIMEOUT', 'provider.timeout'],
  ['OAUTH_ABORT', 'provider.timeout'],
]);

/** What went wrong in openid-client, named by its codes and causes. */
export function toProviderFailure(error: unknown): ProviderFailure {
  const chain = chainOf(error);
  for (const link of chain) {
    if (link instanceof ProviderFailure) return link;
    if (link instanceof FetchRefused)
      return new ProviderFailure(`fetch.${link.reason}`, link.message, { cause: error });
  }
  for (const link of chain) {
    const check = checkOf(link);
    if (check !== undefined) return new ProviderFailure(check, messageOf(error), { cause: error });
  }
  return new ProviderFailure('answer.invalid', messageOf(error), { cause: error });
}

interface Link {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly error?: unknown;
  readonly message?: unknown;
}

function checkOf(link: unknown): string | undefined {
  if (typeof link !== 'object' || link === null) return undefined;
  const { code, cause, error, message } = link as Link;
  const details = typeof cause === 'object' && cause !== null ? (cause as Record<string, unknown>) : {};
  switch (code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return `id_token.${word(details['claim']) ?? 'claim'}`;
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return `${details['attribute'] === 'sub' ? 'userinfo' : 'discovery'}.${word(details['attribute']) ?? 'member'}`;
    case 'OAUTH_AUTHORIZATION_RESPONSE_ERROR':
      return `authorization_response.${word(error) ?? 'error'}`;
    case 'OAUTH_RESPONSE_BODY_ERROR':
      return `token_endpoint.${word(error) ?? 'error'}`;
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return /JWS|"alg"|signature/i.test(String(message)) ? 'id_token.alg' : undefined;
    case 'OAUTH_INVALID_RESPONSE':
      return checkOfMessage(String(message));
    default:
      return typeof code === 'string' ? codes.get(code) : undefined;
  }
}

/** The library has one code for these. */
function checkOfMessage(message: string): string {
  if (/signature/i.test(message)) return 'id_token.signature';
  if (/unexpected JWT "alg"/.test(message)) return 'id_token.alg';
  if (/"iss" \(issuer\)|"iss" missing|response parameter "iss"/.test(message)) return 'authorization_response.iss';
  if (/"state"/.test(message)) return 'authorization_response.state';
  const claim = /"(\w+)" \([\w ]+\) (?:JWT claim|claim)/.exec(message) ?? /JWT "(\w+)"/.exec(message);
  if (claim?.[1]) return `id_token.${claim[1]}`;
  const property = /"response" body "(\w+)"/.exec(message);
  if (property?.[1]) return property[1] === 'id_token' ? 'id_token.missing' : `answer.${property[1]}`;
  if (/JWT/.test(message)) return 'id_token.malformed';
  return 'answer.invalid';
}

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let link = error; link !== undefined && link !== null && chain.length < 8;) {
    chain.push(link);
    link = typeof link === 'object' ? (link as Link).cause : undefined;
  }
  return chain;
}

function messageOf(error: unknown): string {
  const innermost = chainOf(error)
    .filter((link): link is Error => link instanceof Error)
    .at(-1);
  return innermost?.message ?? 'the provider answered something that cannot be taken';
}

/** A word as these protocols have them; whatever else a provider wrote stays out of the log. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[a-z_]{1,40}$/.test(value) ? value : undefined;
}
