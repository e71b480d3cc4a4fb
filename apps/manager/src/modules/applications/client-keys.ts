import type { FieldError } from '../../errors/app-error.js';

/** A public key of a client (RFC 7517), with which its assertions are verified (private_key_jwt). */
export type ClientKey = Readonly<Record<string, unknown>>;

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const maxKeys = 10;
/** 2048 bits in base64url. */
const minModulusLength = 342;

/** The one algorithm of each kind of key that is taken. */
function algorithmOf({ kty, crv, n }: ClientKey): string | undefined {
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA';
  return kty === 'RSA' && typeof n === 'string' && n.length >= minModulusLength ? 'PS256' : undefined;
}

/** What is wrong with a client's keys, by JSON pointer. */
export function clientKeyProblems(keys: readonly ClientKey[]): FieldError[] {
  if (keys.length === 0 || keys.length > maxKeys) {
    return [{ pointer: '/jwks/keys', detail: `must be 1 to ${maxKeys} keys` }];
  }
  const kids = keys.map((key) => key['kid']);
  return keys.flatMap((key, index) => {
    const detail = problemOf(key) ?? (kids.indexOf(key['kid']) === index ? undefined : 'has the kid of another one');
    return detail === undefined ? [] : [{ pointer: `/jwks/keys/${index}`, detail }];
  });
}

function problemOf(key: ClientKey): string | undefined {
  if (privateMembers.some((name) => Object.hasOwn(key, name))) return 'must be a public key: this one is compromised';
  const alg = algorithmOf(key);
  if (alg === undefined) return 'must be P-256, Ed25519, or RSA of 2048 bits at least';
  if (key['alg'] !== undefined && key['alg'] !== alg) return `must be for ${alg}`;
  if (key['use'] !== undefined && key['use'] !== 'sig') return 'must be for signatures';
  return undefined;
}

/** As it is stored: for the one algorithm and nothing else. */
export function toStoredKey(key: ClientKey): ClientKey {
  const kept = Object.entries(key).filter(([name]) => ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid'].includes(name));
  return { ...Object.fromEntries(kept), alg: algorithmOf(key), use: 'sig' };
}
