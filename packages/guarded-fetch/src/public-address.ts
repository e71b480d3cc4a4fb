import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Ranges in which an operator may have servers of their own; never opened without their word. */
const ownRanges = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by their number, though what answers there belongs to the machine's own network (Azure's platform address). */
const platformAddresses = new Set(['168.63.129.16']);

/** What an address is, in the words of the IANA registries; `unicast` is the only one that is public. */
export function rangeOf(address: string): string {
  if (isIP(address.split('%', 1)[0] ?? '') === 0) return 'malformed';
  const parsed = ipaddr.process(address);
  if (platformAddresses.has(parsed.toString())) return 'platform';
  const range = parsed.range();
  if (range !== 'unicast' || parsed.kind() === 'ipv4') return range;
  return parsed.match(globalUnicast) ? range : 'reserved';
}

/** Whether a connection to this address may be made. Link-local (cloud metadata), multicast and the like never. */
export function mayConnectTo(address: string, { allowPrivate }: { readonly allowPrivate: boolean }): boolean {
  const range = rangeOf(address);
  return range === 'unicast' || (allowPrivate && ownRanges.has(range));
}
