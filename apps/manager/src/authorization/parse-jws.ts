import { AppError } from '../errors/app-error.js';

const maxTokenLength = 16_384;
const algorithms = ['ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof algorithms)[number];

/** A token taken apart but not verified: nothing of it may be believed yet. */
export interface UnverifiedToken {
  readonly token: string;
  readonly kid: string;
  readonly alg: TokenAlgorithm;
  readonly issuer: string;
}

/**
 * Takes a compact JWS apart in its one canonical spelling (RFC 4648 section 3.5: trailing bits zero, no padding or
 * whitespace), with a header of alg, kid and typ only. Throws AppError 'invalid_token'.
 */
export function parseJws(token: string): UnverifiedToken {
  if (token.length > maxTokenLength) throw refused('the token is too long');
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => part.length > 0 && isCanonical(part))) {
    throw refused('the token is not a compact JWS in canonical form');
  }
  const [header, payload] = parts.slice(0, 2).map(parseObject);
  if (!header || !payload) throw refused('header or payload is not a JSON object');
  const foreign = [...header.keys()].find((name) => !['alg', 'kid', 'typ'].includes(name));
  if (foreign !== undefined) throw refused('the header carries a parameter that is not allowed');
  const alg = algorithms.find((name) => name === header.get('alg'));
  const kid = header.get('kid');
  const issuer = payload.get('iss');
  if (!alg) throw refused('the algorithm is not allowed');
  if (header.get('typ') !== 'at+jwt') throw refused('typ is not at+jwt');
  if (typeof kid !== 'string' || kid === '' || kid.length > 128) throw refused('kid is missing');
  if (typeof issuer !== 'string') throw refused('iss is missing');
  return { token, kid, alg, issuer };
}

function refused(message: string): AppError {
  return new AppError('invalid_token', message);
}

function isCanonical(part: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(part) && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function parseObject(part: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}
