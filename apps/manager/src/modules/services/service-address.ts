import { isIP } from 'node:net';
import type { FieldError } from '../../errors/app-error.js';

/** What the operator and the service let an address be. */
export interface AddressPolicy {
  /** Plain http as well. */
  readonly allowHttp: boolean;
  /** Private addresses as well. */
  readonly allowPrivate: boolean;
  readonly mayConnectTo: MayConnectTo;
}

/** Whether a connection to an address (not a name) may be made at all. */
export type MayConnectTo = (address: string, options: { readonly allowPrivate: boolean }) => boolean;

/** One spelling of a URL; a bare origin stays without its slash. Undefined where it is none. */
export function normalUrl(value: string): string | undefined {
  const url = URL.parse(value);
  return url?.href === `${url?.origin}/` ? url.origin : url?.href;
}

/** What is wrong with a URL that a secret or a person will be sent to. */
export function urlProblems(
  pointer: string,
  value: string,
  { mayHaveQuery = false, ...policy }: AddressPolicy & { readonly mayHaveQuery?: boolean },
): FieldError[] {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol)) return [{ pointer, detail: 'must be an https URL' }];
  const details = [
    ...(url.username || url.password ? ['must have no credentials'] : []),
    ...(value.includes('#') ? ['must have no fragment'] : []),
    ...(!mayHaveQuery && value.includes('?') ? ['must have no query'] : []),
    ...(/%2f|%5c/i.test(url.pathname) ? ['must have no encoded slash in its path'] : []),
    ...(url.protocol === 'http:' && !policy.allowHttp ? ['must be https'] : []),
  ];
  return [...details.map((detail) => ({ pointer, detail })), ...hostProblems(pointer, url.hostname, policy)];
}

/** Judges what can be seen in the text; what a name leads to is judged when it is connected to. */
export function hostProblems(
  pointer: string,
  hostname: string,
  { allowPrivate, mayConnectTo }: AddressPolicy,
): FieldError[] {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const address = /^(.+\.)?localhost$/i.test(host) ? '127.0.0.1' : host;
  if (isIP(address) === 0 || mayConnectTo(address, { allowPrivate })) return [];
  const detail = 'is not a public address: allow_private_addresses and the operator must both allow it';
  return [{ pointer, detail }];
}

/** Whether what goes to `next` went to `before` already: the same origin, at or below its path. */
export function isWithin(before: string, next: string): boolean {
  const [old, target] = [URL.parse(before), URL.parse(next)];
  if (!old || !target || old.origin !== target.origin) return false;
  const path = old.pathname.endsWith('/') ? old.pathname : `${old.pathname}/`;
  return target.pathname === old.pathname || target.pathname.startsWith(path);
}
