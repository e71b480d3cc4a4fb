import * as openid from 'openid-client';
import { FetchRefused, type GuardedFetch } from '../../ports/guarded-fetch.js';
import type { IdentityProvider } from './identity-provider.js';
import { ProviderFailure, toProviderFailure } from './provider-failure.js';
import type { ProviderTokens } from './provider-protocol.js';

/** Who the provider says came. */
export interface ProviderIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Only one that is verified, in lower case. */
  readonly email: string | undefined;
  readonly displayName: string | null;
  /** Everything that was said, by name: data of the provider. */
  readonly claims: ReadonlyMap<string, unknown>;
}

/** ProviderFailure where the provider's word cannot be taken. */
export async function readOidcIdentity(
  provider: IdentityProvider,
  configuration: openid.Configuration,
  tokens: ProviderTokens,
): Promise<ProviderIdentity> {
  const idToken = tokens.claims();
  if (!idToken) throw new ProviderFailure('id_token.missing', 'the answer has no ID token');
  const subject = assertSubject('id_token', idToken.sub);
  let claims = new Map<string, unknown>(Object.entries(idToken));
  let verified = claims.get('email_verified');
  const needed = ['email', 'email_verified', ...provider.settings.rights.map(({ claim }) => claim)];
  const lacking = needed.some(
    (name) => !claims.has(name) && !(name === 'email_verified' && provider.settings.trust_email),
  );
  if (lacking && configuration.serverMetadata().userinfo_endpoint !== undefined) {
    const userinfo = await openid.fetchUserInfo(configuration, tokens.access_token, subject).catch((error: unknown) => {
      throw inUserinfo(toProviderFailure(error));
    });
    // What is said of one address verifies no other.
    const sameAddress = !claims.has('email') || claims.get('email') === userinfo.email;
    verified = claims.has('email') ? verified : undefined;
    if (sameAddress) verified ??= userinfo.email_verified;
    claims = new Map<string, unknown>([...Object.entries(userinfo), ...claims]);
  }
  return {
    issuer: provider.issuer,
    subject,
    email: verifiedEmail(claims.get('email'), verified, provider.settings.trust_email),
    displayName: toDisplayName(claims.get('name')),
    claims,
  };
}

function inUserinfo({ check, message, cause }: ProviderFailure): ProviderFailure {
  const [where, what] = check.split('.');
  const own = where === 'userinfo' || where === 'userinfo_endpoint' ? check : `userinfo.${what}`;
  return new ProviderFailure(own, message, { cause });
}

/** ProviderFailure where the provider's word cannot be taken. */
export async function readOAuth2Identity(
  provider: IdentityProvider,
  fetch: GuardedFetch,
  tokens: ProviderTokens,
  deadline: AbortSignal,
): Promise<ProviderIdentity> {
  const { oauth2, trust_email: trustEmail } = provider.settings;
  if (!oauth2) throw new ProviderFailure('settings.oauth2', 'the provider has no endpoints');
  const ask = (name: string, url: string) => readJson({ fetch, name, url, accessToken: tokens.access_token, deadline });
  const userinfo = await ask('userinfo_endpoint', oauth2.userinfo_endpoint);
  if (typeof userinfo !== 'object' || userinfo === null || Array.isArray(userinfo)) {
    throw new ProviderFailure('userinfo.form', 'the userinfo answer is not an object');
  }
  const claims = new Map<string, unknown>(Object.entries(userinfo));
  const names = oauth2.claims;
  const rawSubject = claims.get(names.subject);
  const subject = assertSubject('userinfo', Number.isSafeInteger(rawSubject) ? String(rawSubject) : rawSubject);
  const email = oauth2.emails_endpoint
    ? primaryEmail(await ask('emails_endpoint', oauth2.emails_endpoint))
    : verifiedEmail(
        claims.get(names.email),
        names.email_verified === undefined ? undefined : claims.get(names.email_verified),
        trustEmail,
      );
  return { issuer: provider.issuer, subject, email, displayName: toDisplayName(claims.get(names.name)), claims };
}

interface Question {
  readonly fetch: GuardedFetch;
  readonly name: string;
  readonly url: string;
  readonly accessToken: string;
  readonly deadline: AbortSignal;
}

async function readJson({ fetch, name, url, accessToken, deadline }: Question): Promise<unknown> {
  const headers = {
    accept: 'application/vnd.github+json, application/json;q=0.9',
    authorization: `Bearer ${accessToken}`,
    'user-agent': 'authsec',
  };
  try {
    const answer = await fetch(url, { headers, signal: deadline });
    if (answer.status !== 200) throw new ProviderFailure(`${name}.status`, `${name} answered ${answer.status}`);
    return await answer.json();
  } catch (error) {
    if (error instanceof FetchRefused) {
      const reason = error.reason === 'aborted' ? 'timeout' : error.reason;
      throw new ProviderFailure(`${name}.${reason}`, error.message, { cause: error });
    }
    if (error instanceof ProviderFailure) throw error;
    throw new ProviderFailure(`${name}.not_json`, `${name} did not answer JSON`, { cause: error });
  }
}

/** GitHub's list: the one that is primary and verified. */
function primaryEmail(answer: unknown): string | undefined {
  if (!Array.isArray(answer)) throw new ProviderFailure('emails.form', 'the e-mail answer is not a list');
  const found = answer.find(
    (entry: unknown) =>
      typeof entry === 'object' &&
      entry !== null &&
      Reflect.get(entry, 'primary') === true &&
      Reflect.get(entry, 'verified') === true,
  ) as { email?: unknown } | undefined;
  return verifiedEmail(found?.email, found !== undefined, false);
}

/** OpenID Connect Core 2: at most 255 ASCII characters. */
function assertSubject(where: string, value: unknown): string {
  if (typeof value === 'string' && /^[\x20-\x7e]{1,255}$/.test(value)) return value;
  throw new ProviderFailure(`${where}.sub`, 'the subject is missing or malformed');
}

/** Only a literal `true` verifies; a provider that is trusted may say nothing, but not `false`. */
function verifiedEmail(value: unknown, verified: unknown, trusted: boolean): string | undefined {
  if (typeof value !== 'string' || !(verified === true || (trusted && verified === undefined))) return undefined;
  const email = value.trim().toLowerCase();
  return email.length <= 320 && /^[^\s@<>"]+@[^\s@<>"]+$/.test(email) && isStorable(email) ? email : undefined;
}

function toDisplayName(value: unknown): string | null {
  if (typeof value !== 'string' || value.trim() === '' || !isStorable(value)) return null;
  return Array.from(value.trim()).slice(0, 200).join('');
}

function isStorable(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}
