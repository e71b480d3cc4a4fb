import { randomBytes, timingSafeEqual } from 'node:crypto';
import { hashIdentifier } from '../../db/hash-identifier.js';

/** 256 random bits, base64url: enough that a plain hash protects it. */
export function generateClientSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256, base64url: what is stored. */
export function hashClientSecret(secret: string): string {
  return hashIdentifier(secret);
}

/** In a time that depends on neither. */
export function compareClientSecret(storedHash: string, presented: string): boolean {
  const stored = Buffer.from(storedHash, 'base64url');
  const actual = Buffer.from(hashIdentifier(presented), 'base64url');
  return stored.length === actual.length && timingSafeEqual(stored, actual);
}
