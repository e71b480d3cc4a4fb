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

/** What went wrong in openid-client, named by its codes and causes; these carry tokens, so none of them is kept. */
export function toProviderFailure(error: unknown): ProviderFailure {
  const chain = chainOf(error);
  for (const link of chain) {
    if (link instanceof ProviderFailure) return link;
    if (link instanceof FetchRefused) return new ProviderFailure(`fetch.${link.reason}`, link.message, { cause: link });
  }
  // The innermost says it most exactly.
  for (const link of chain.toReversed()) {
    const check = checkOf(link);
    if (check !== undefined) return new ProviderFailure(check, messageOf(error));
  }
  return new ProviderFailure('answer.invalid', messageOf(error));
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
      if (/JWE/.test(String(message))) return 'id_token.encrypted';
      return /crit/.test(String(message)) ? 'id_token.crit' : 'id_token.alg';
    case 'OAUTH_INVALID_RESPONSE':
      return checkOfMessage(String(message));
    default:
      return typeof code === 'string' ? codes.get(code) : undefined;
  }
}

/** The library has one code for these and tells them apart in words. */
const messages: readonly [RegExp, string | ((match: RegExpExecArray) => string)][] = [
  [/signature/i, 'id_token.signature'],
  [/JWT "alg"/, 'id_token.alg'],
  [/"iss" \(issuer\)(?! claim)|"iss" parameter/, 'authorization_response.iss'],
  [/"state"/, 'authorization_response.state'],
  [/"(\w+)" parameter must be/, ([, name]) => `authorization_response.${name}`],
  [/authorization code/i, 'authorization_response.code'],
  [/JARM/, 'authorization_response.response'],
  [/JWT "(\w+)"/, ([, claim]) => `id_token.${claim}`],
  [/body "id_token"/, 'id_token.missing'],
  [/body "(\w+)"/, ([, member]) => `answer.${member}`],
  [/JWT|ID Token/, 'id_token.malformed'],
  [/./, 'answer.invalid'],
];

function checkOfMessage(message: string): string | undefined {
  for (const [pattern, check] of messages) {
    const match = pattern.exec(message);
    if (match) return typeof check === 'string' ? check : check(match);
  }
  return undefined;
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
