import type { Request, RequestHandler } from 'express';
import type { RateLimit } from '../../ports/rate-limits.js';

/** Refuses with 429 what goes over the limit; counted by address unless `keyOf` says otherwise. */
export function createRateLimit(limit: RateLimit, keyOf: (request: Request) => string = addressOf): RequestHandler {
  return async (request, _response, next) => {
    await limit.consume(keyOf(request));
    next();
  };
}

/** The client's address as the trusted proxies report it, by its network. */
export function addressOf(request: Request): string {
  return networkOf(request.ip ?? 'unknown');
}

/** An address as a client has it: of IPv6 the network (/64). */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
