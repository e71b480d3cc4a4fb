import { AuthSecError } from '../authsec-error.js';

/** Where requests of a service may go: its origin, below the path of its base URL. */
export interface ServiceBase {
  readonly service: string;
  readonly url: URL;
}

/** Throws `service_unavailable` where the Manager's base URL is none that requests can be bound to. */
export function parseServiceBase(service: string, baseUrl: string): ServiceBase {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isHttp || url.username !== '' || url.password !== '') {
    throw new AuthSecError('service_unavailable', `${service}: its base URL is not an http(s) URL`);
  }
  url.search = '';
  url.hash = '';
  return { service, url };
}

/**
 * The URL that a tool asked for: relative ones are joined below the base path, absolute ones must be of the same origin and
 * below it. Throws `service_host_refused` for whatever would leave it, in any spelling.
 */
export function resolveServiceUrl(base: ServiceBase, asked: string): URL {
  const [path = ''] = asked.split(/[?#]/, 1);
  // URL drops tabs and newlines, and takes a backslash for a slash.
  // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
  if (/[\u0000-\u001f\u007f]/.test(asked) || asked !== asked.trim() || path.includes('\\')) {
    throw refused(base, 'has characters that URLs do not have');
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(asked)) {
    if (!URL.canParse(asked)) throw refused(base, 'is not a URL');
    return assertWithin(base, new URL(asked), path);
  }
  if (path.startsWith('//')) throw refused(base, 'names another host');
  const directory = base.url.pathname.replace(/\/+$/, '');
  const joined = path === '' ? base.url.pathname : `${directory}/${path.replace(/^\//, '')}`;
  return assertWithin(base, new URL(`${base.url.origin}${joined}${asked.slice(path.length)}`), joined);
}

/** Where a redirect leads, if it stays; throws `service_host_refused` otherwise. */
export function resolveRedirect(base: ServiceBase, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw refused(base, 'redirects to what is not a URL');
  const [path = ''] = location.split(/[?#]/, 1);
  return assertWithin(base, new URL(location, from), path);
}

function assertWithin(base: ServiceBase, url: URL, written: string): URL {
  if (url.username !== '' || url.password !== '') throw refused(base, 'carries credentials');
  if (url.origin !== base.url.origin) throw refused(base, `is not at ${base.url.origin}`);
  assertStays(base, written);
  assertStays(base, url.pathname);
  const directory = base.url.pathname.replace(/\/+$/, '');
  if (url.pathname !== directory && !url.pathname.startsWith(`${directory}/`)) {
    throw refused(base, `is not below ${base.url.pathname}`);
  }
  url.hash = '';
  return url;
}

/** Decoded as often as a server behind a proxy might, no segment leads upwards. */
function assertStays(base: ServiceBase, path: string): void {
  let decoded = path;
  for (let times = 0; times < 4; times++) {
    if (leadsUpwards(decoded) || leadsUpwards(asFoldedText(decoded))) throw refused(base, 'leads out of the base path');
    const next = decodeOnce(decoded);
    // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
    if (/[\u0000-\u001f\u007f]/.test(next)) throw refused(base, 'has encoded control characters');
    if (next === decoded) return;
    decoded = next;
  }
  throw refused(base, 'is encoded over and over');
}

/** `..;x` is `..` to servers that take path parameters. */
function leadsUpwards(path: string): boolean {
  return path.split(/[/\\]/).some((segment) => /^\.\.(?:;|$)/.test(segment));
}

/** Bytes as the text that they are, where dots and slashes of other scripts are those of ASCII, as some servers take them. */
function asFoldedText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString().normalize('NFKC');
}

/** What is not an encoded byte stays as it is. */
function decodeOnce(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function refused(base: ServiceBase, why: string): AuthSecError {
  return new AuthSecError('service_host_refused', `${base.service}: a URL that was asked for ${why}`);
}
