import { expect, test } from '@jest/globals';
import { parseJws } from '../../src/authorization/parse-jws.js';
import { holdsPermission } from '../../src/authorization/holds-permission.js';
import { apiAudienceOf, issuerOf, tenantOfIssuer } from '../../src/authorization/issuer.js';
import { createPrincipal } from '@authsec/rbac-core';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = { alg: 'ES256', kid: 'k', typ: 'at+jwt' };
const tokenOf = (change: object = {}, payload: unknown = { iss: 'https://x/t/acme' }) =>
  `${encode({ ...header, ...change })}.${encode(payload)}.AAAA`;

test('takes a compact JWS apart', () => {
  const token = tokenOf();
  expect(parseJws(token)).toEqual({ token, kid: 'k', alg: 'ES256', issuer: 'https://x/t/acme' });
});

test.each<[string, string]>([
  ['one that is too long', tokenOf({}, { iss: 'https://x', pad: 'x'.repeat(20_000) })],
  ['trailing bits', `${encode(header)}.${encode({ iss: 'x' })}.AAB`],
  ['a newline at the end', `${tokenOf()}\n`],
  ['padding', `${tokenOf()}=`],
  ['an unknown header parameter', tokenOf({ b64: false })],
  [
    '__proto__ as a header parameter',
    `${Buffer.from('{"alg":"ES256","kid":"k","typ":"at+jwt","__proto__":{}}').toString('base64url')}.${encode({ iss: 'x' })}.AAAA`,
  ],
  ['a kid that is no string', tokenOf({ kid: 1 })],
  ['an algorithm in another case', tokenOf({ alg: 'es256' })],
  ['a payload that is a list', tokenOf({}, ['iss'])],
  ['an iss that is no string', tokenOf({}, { iss: ['https://x/t/acme'] })],
  [
    'a header that is not UTF-8',
    `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${encode({ iss: 'x' })}.AAAA`,
  ],
])('refuses %s', (_name, token) => {
  expect(() => parseJws(token)).toThrow(expect.objectContaining({ code: 'invalid_token' }));
});

test('an issuer is a tenant only letter by letter', () => {
  expect(issuerOf('https://x', 'acme')).toBe('https://x/t/acme');
  expect(apiAudienceOf('https://x/t/acme')).toBe('https://x/t/acme/v1');
  expect(tenantOfIssuer('https://x', 'https://x/t/acme')).toBe('acme');
  for (const issuer of [
    'https://x/t/acme/',
    'https://X/t/acme',
    'https://x/t/',
    'https://x/t/a%63me',
    'https://x/t/../x',
    'https://y/t/acme',
  ]) {
    expect(tenantOfIssuer('https://x', issuer)).toBeUndefined();
  }
});

test.each<[string[], string, boolean]>([
  [['authsec:users:read'], 'authsec:users:read', true],
  [['authsec:users:*'], 'authsec:users:read', true],
  [['authsec:*:*'], 'authsec:users:*', true],
  [['authsec:*:*'], 'authsec:*:*', true],
  [['authsec:users:*'], 'authsec:*:*', false],
  [['authsec:users:read'], 'authsec:users:*', false],
  [['*:*:*', '*:*'], 'authsec:users:*', false],
  [['authsec:users:read', 'authsec:users:write'], 'authsec:users:*', false],
  [[], 'authsec:users:read', false],
])('%j includes %s: %s', (permissions, permission, expected) => {
  const principal = createPrincipal({ roles: [], groups: [], scopes: [], resources: [], permissions });
  expect(holdsPermission(principal, permission)).toBe(expected);
});
