import { createHash } from 'node:crypto';

/** SHA-256, base64url: what is stored of codes, cookies, client secrets, `state`, keys and other things that are secret or too long. */
export function hashIdentifier(identifier: string): string {
  return createHash('sha256').update(identifier, 'utf8').digest('base64url');
}
