import type { ServiceCredential } from '@authsec/manager-client';

const minPartLength = 8;

/**
 * What of a credential must be seen nowhere, also without the spaces around it, which headers lose. User names, hosts and
 * certificates are no secrets.
 */
export function secretsOf(credential: ServiceCredential): readonly string[] {
  const values = valuesOf(credential);
  return [...new Set([...values, ...values.map((value) => value.trim())])];
}

function valuesOf(credential: ServiceCredential): readonly string[] {
  const { type } = credential;
  if (type === 'header') return [credential.value, ...partsAfterPrefix(credential.value)];
  if (type === 'query') return [credential.value];
  if (type === 'basic') return [credential.password, `${credential.username}:${credential.password}`];
  if (type === 'bearer') return [credential.token];
  return type === 'database' ? [credential.password] : linesOf(credential.private_key);
}

/** A header's value begins with a prefix such as `Token `, of at most 50 characters: what follows may stand elsewhere alone. */
function partsAfterPrefix(value: string): string[] {
  const parts: string[] = [];
  for (const { index } of value.slice(0, 50).matchAll(/[\s=:,;]/g)) {
    const rest = value.slice(index + 1).trim();
    if (rest.length >= minPartLength) parts.push(rest);
  }
  return parts;
}

/** Of PEM: whatever becomes of its line breaks. */
function linesOf(pem: string): string[] {
  return pem.split(/\r?\n/).filter((line) => line.length >= minPartLength && !line.startsWith('-----'));
}
