/**
 * The canonical text of a JSON value (RFC 8785): what a digest is taken of. Throws a TypeError for what is no JSON value:
 * a number that is not finite, a lone surrogate, undefined.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  // ECMAScript's own spelling of numbers and strings is what the RFC prescribes.
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string') return canonicalText(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`no JSON value: ${typeof value}`);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonicalText(name)}:${canonicalJson(member)}`).join(',')}}`;
}

function canonicalText(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new TypeError('no JSON text: a lone surrogate');
  return JSON.stringify(text);
}
