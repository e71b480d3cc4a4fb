import { createPrivateKey, X509Certificate } from 'node:crypto';
import { serviceSecretSchemas, type ServiceSettings } from '@authsec/manager-client/contract';
import { AppError, type FieldError } from '../../errors/app-error.js';
import type { SecretValue } from '../../ports/secret-store.js';

/** The secret of a service as it was given: what it may hold follows the kind. */
export type SecretInput = Readonly<Record<string, string>>;

/** AppError 'invalid_request' naming the field; neither its value nor a name that is not known is ever said. */
export function parseSecret(settings: ServiceSettings, input: SecretInput): SecretValue {
  const parsed = serviceSecretSchemas[settings.kind].safeParse(input);
  const fields = parsed.success
    ? [...problemsOf(settings, parsed.data), ...tooShort(parsed.data)]
    : parsed.error.issues.flatMap(toFields);
  if (fields.length > 0) throw new AppError('invalid_request', 'the secret does not fit the service', { fields });
  return Object.fromEntries(Object.entries(parsed.data ?? {}).filter(([, value]) => value !== undefined));
}

function toFields({ code, path, message }: { code?: string; path: PropertyKey[]; message: string }): FieldError[] {
  if (code === 'unrecognized_keys') return [{ pointer: '/secret', detail: 'has a part that this kind does not take' }];
  const missing = code === 'invalid_type';
  return [{ pointer: `/secret/${path.map(String).join('/')}`, detail: missing ? 'is needed for this kind' : message }];
}

function problemsOf(settings: ServiceSettings, secret: SecretInput): FieldError[] {
  const visible = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
  const refuse = (name: string, detail: string) => [{ pointer: `/secret/${name}`, detail }];
  switch (settings.kind) {
    case 'api_key':
      return settings.in === 'query' || visible.test(secret['key'] ?? '')
        ? []
        : refuse('key', 'must be visible ASCII, as a header field is');
    case 'bearer':
      return /^[\x21-\x7e]+$/.test(secret['token'] ?? '')
        ? []
        : refuse('token', 'must be visible ASCII without spaces');
    case 'basic':
      // RFC 7617 section 2.
      return secret['username']?.includes(':') ? refuse('username', 'must have no colon') : [];
    case 'mtls':
      return certificateProblems(secret);
    case 'database':
    case 'oauth2_authorization_code':
    case 'oauth2_client_credentials':
      break;
  }
  return [];
}

/** What is shorter stands in too many texts to be taken out of them. One that is stored already is read as before. */
const minSecretLength = 8;

function tooShort(secret: SecretInput): FieldError[] {
  return ['key', 'token', 'password', 'client_secret']
    .filter((name) => secret[name] !== undefined && Array.from(secret[name]).length < minSecretLength)
    .map((name) => ({ pointer: `/secret/${name}`, detail: `must have at least ${minSecretLength} characters` }));
}

function certificateProblems(secret: SecretInput): FieldError[] {
  const certificate = attempt(() => new X509Certificate(secret['certificate'] ?? ''));
  const privateKey = attempt(() => createPrivateKey(secret['private_key'] ?? ''));
  const authority = secret['certificate_authority'];
  return [
    ...(certificate ? [] : [{ pointer: '/secret/certificate', detail: 'must be an X.509 certificate' }]),
    ...(privateKey ? [] : [{ pointer: '/secret/private_key', detail: 'must be a private key without a passphrase' }]),
    ...(authority === undefined || attempt(() => new X509Certificate(authority))
      ? []
      : [{ pointer: '/secret/certificate_authority', detail: 'must be an X.509 certificate' }]),
    ...(certificate && privateKey && !certificate.checkPrivateKey(privateKey)
      ? [{ pointer: '/secret/private_key', detail: 'is not that of the certificate' }]
      : []),
  ];
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
