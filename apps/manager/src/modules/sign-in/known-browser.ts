import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import { readCookie } from './read-cookie.js';
import { normalizeEmail } from './sign-in.service.js';

/** Remembers, in the browser only, which account it has signed in: attempts from there are not counted with strangers'. */
export interface KnownBrowser {
  remember(response: Response, email: string): void;
  isKnown(request: Request, email: string): boolean;
}

const yearMs = 365 * 24 * 60 * 60 * 1000;

export function createKnownBrowser({
  keys,
  issuer,
}: {
  readonly keys: readonly string[];
  readonly issuer: string;
}): KnownBrowser {
  const { protocol, pathname } = new URL(issuer);
  const secure = protocol === 'https:';
  const name = `${secure ? '__Secure-' : ''}authsec_known`;
  const mark = (key: string, email: string) =>
    createHmac('sha256', key)
      .update(`known-browser/${issuer}/${normalizeEmail(email)}`)
      .digest();
  return {
    remember(response, email) {
      const value = mark(keys[0] ?? '', email).toString('base64url');
      response.cookie(name, value, { path: pathname, httpOnly: true, secure, sameSite: 'lax', maxAge: yearMs });
    },
    isKnown(request, email) {
      const presented = Buffer.from(readCookie(request, name) ?? '', 'base64url');
      return keys.some((key) => presented.length === 32 && timingSafeEqual(presented, mark(key, email)));
    },
  };
}
