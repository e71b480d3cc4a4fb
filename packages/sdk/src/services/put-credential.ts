import type { ServiceCredential } from '@authsec/manager-client';
import { AuthSecError } from '../authsec-error.js';

/** Fields that carry credentials, or frame and route the message: never a tool's to say. */
const ownFields: ReadonlySet<string> = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'cookie2',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** The codings that answers are decompressed from. */
export const acceptedEncodings = 'gzip, deflate, br';

const saysWhoAsks: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host', 'proxy-authorization']);

/** The headers that a tool gave, without those that are not its to give; `dropped` names what it may miss. */
export function ownHeaders(given: Headers): { readonly headers: Headers; readonly dropped: readonly string[] } {
  const headers = new Headers();
  const dropped: string[] = [];
  for (const [name, value] of given) {
    if (!ownFields.has(name)) headers.append(name, value);
    else if (saysWhoAsks.has(name)) dropped.push(name);
  }
  headers.set('accept-encoding', acceptedEncodings);
  return { headers, dropped };
}

/** Puts a credential on copies of URL and headers, in place of whatever stood where it goes. */
export function putCredential(
  credential: ServiceCredential,
  request: { readonly url: URL; readonly headers: Headers },
): { readonly url: URL; readonly headers: Headers } {
  const headers = new Headers(request.headers);
  const url = new URL(request.url);
  switch (credential.type) {
    case 'header':
      setHeader(headers, credential.name, credential.value);
      break;
    case 'bearer':
      setHeader(headers, 'authorization', `Bearer ${credential.token}`);
      break;
    case 'basic': {
      const pair = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
      setHeader(headers, 'authorization', `Basic ${pair}`);
      break;
    }
    case 'query':
      url.search = withParameter(url.search, credential.name, credential.value);
      break;
    case 'client_certificate':
      break;
    case 'database':
      throw new TypeError('a database is not fetched from: services.credential(name) has what its driver needs');
  }
  return { url, headers };
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // The error of Headers quotes the value.
    throw new AuthSecError('service_unavailable', `the credential cannot be put into a header: ${name}`);
  }
}

/** The rest of the query stays as it was written. */
function withParameter(search: string, name: string, value: string): string {
  const others = search
    .replace(/^\?/, '')
    .split('&')
    .filter((pair) => pair !== '' && !new URLSearchParams(pair).has(name));
  return [...others, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&');
}
