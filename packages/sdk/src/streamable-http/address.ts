import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/** Who asks, as far as the network tells: Express's `ip`, which knows of `trust proxy`. Of an IPv6 address its /64, which is one customer. */
export function addressOf(request: IncomingMessage): string {
  const ip = ipOf(request);
  return isIPv4(ip) || !isIPv6(ip) ? ip : networkOf(ip);
}

/** Express's `ip`, else the socket's; an IPv4 address in its own spelling. */
export function ipOf(request: IncomingMessage): string {
  const ip = (request as { readonly ip?: string }).ip ?? request.socket.remoteAddress ?? '';
  return ip.replace(/^::ffff:(?=\d+\.)/i, '');
}

function networkOf(ip: string): string {
  const [head = '', tail] = ip.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return groups.slice(0, 4).join(':');
}
