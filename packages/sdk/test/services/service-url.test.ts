import * as fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { parseServiceBase, resolveRedirect, resolveServiceUrl } from '../../src/services/service-url.js';

const base = parseServiceBase('github', 'https://api.example.com/v3/acme');

describe('a path', () => {
  test.each([
    ['', 'https://api.example.com/v3/acme'],
    ['repos', 'https://api.example.com/v3/acme/repos'],
    ['/repos', 'https://api.example.com/v3/acme/repos'],
    ['./repos', 'https://api.example.com/v3/acme/repos'],
    ['repos/', 'https://api.example.com/v3/acme/repos/'],
    ['?page=2', 'https://api.example.com/v3/acme?page=2'],
    ['repos?q=a%20b&r=../x#top', 'https://api.example.com/v3/acme/repos?q=a%20b&r=../x'],
    ['a b/ü', 'https://api.example.com/v3/acme/a%20b/%C3%BC'],
    ['files/..hidden/a..b/...', 'https://api.example.com/v3/acme/files/..hidden/a..b/...'],
    [
      'ファイル／…/．hidden',
      'https://api.example.com/v3/acme/' + encodeURIComponent('ファイル／…') + '/%EF%BC%8Ehidden',
    ],
    ['100%/%zz', 'https://api.example.com/v3/acme/100%/%zz'],
    ['https://api.example.com/v3/acme/repos', 'https://api.example.com/v3/acme/repos'],
    ['HTTPS://API.example.com:443/v3/acme/repos', 'https://api.example.com/v3/acme/repos'],
    ['https://api.example.com/v3/acme?x', 'https://api.example.com/v3/acme?x'],
  ])('%j is %s', (asked, expected) => {
    expect(resolveServiceUrl(base, asked).href).toBe(expected);
  });

  test.each([
    '//evil.example/x',
    '///evil.example/x',
    '/\\evil.example',
    '\\\\evil.example',
    'repos\\..\\..\\x',
    '../other',
    'repos/../../other',
    'repos/..',
    '..',
    '/..',
    '%2e%2e/other',
    '%2E%2e/other',
    '.%2e/other',
    'x/%2e%2e%2fother',
    'x/..%2f..%2fother',
    'x/..%5cother',
    '%252e%252e/other',
    '%25252e%25252e/other',
    '%2525252525252e/other',
    '．．/other',
    '․․/other',
    '‥/other',
    'x/..／..／other',
    '%EF%BC%8E%EF%BC%8E/other',
    '%252e%EF%BC%8E/other',
    '..;/other',
    '..;a=b/other',
    '%2e%2e;x/other',
    'x%00y',
    'x%0d%0aHost:%20evil',
    'x\r\nHost: evil',
    '\t//evil.example',
    ' //evil.example',
    '//evil.example ',
    'http://api.example.com/v3/acme/repos',
    'https://evil.example/v3/acme/repos',
    'https://api.example.com.evil.example/v3/acme/repos',
    'https://api.example.com:8443/v3/acme/repos',
    'https://api.example.com@evil.example/v3/acme/repos',
    'https://user:pass@api.example.com/v3/acme/repos',
    'https://user@api.example.com/v3/acme/repos',
    'https://api.example.com/v3/acmeevil',
    'https://api.example.com/v3',
    'https://api.example.com/v3/acme/../other',
    'https://api.example.com/v3/acme/%2e%2e/other',
    'https://api.example.com/v3/acme/..%2fother',
    'https:api.example.com/v3/acme/repos/../..',
    'https:\\\\evil.example',
    'file:///etc/passwd',
    'data:,x',
    'javascript:alert(1)',
    'https://',
    'http:repos',
  ])('%j is refused', (asked) => {
    expect(() => resolveServiceUrl(base, asked)).toThrow(expect.objectContaining({ code: 'service_host_refused' }));
  });

  test('whatever it is, it is refused or stays below the base URL', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2E%2e',
      '/',
      '//',
      '\\',
      '%2f',
      '%5c',
      '%25',
      'a',
      ':',
      '@',
      '?',
      '#',
      ';',
      'https:',
      'evil.example',
      ' ',
      '\t',
      '%00',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part, { maxLength: 10 }).map((parts) => parts.join('')),
          fc.webUrl(),
          fc.string(),
        ),
        (asked) => {
          try {
            const { origin, pathname, username } = resolveServiceUrl(base, asked);
            expect([origin, username]).toEqual(['https://api.example.com', '']);
            expect(pathname === '/v3/acme' || pathname.startsWith('/v3/acme/')).toBe(true);
            expect(decodeURIComponent(pathname.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'))).not.toMatch(
              /(^|[/\\])\.\.([/\\;]|$)/,
            );
          } catch (error) {
            if (error instanceof URIError) return;
            expect(error).toMatchObject({ code: 'service_host_refused' });
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

test('a base URL may end with a slash, or have no path at all', () => {
  const slash = parseServiceBase('x', 'https://api.example.com/v3/?key=1#x');
  expect(resolveServiceUrl(slash, 'repos').href).toBe('https://api.example.com/v3/repos');
  expect(resolveServiceUrl(slash, '').href).toBe('https://api.example.com/v3/');
  expect(() => resolveServiceUrl(slash, 'https://api.example.com/v')).toThrow('not below');
  const bare = parseServiceBase('x', 'https://api.example.com');
  expect(resolveServiceUrl(bare, '').href).toBe('https://api.example.com/');
  expect(resolveServiceUrl(bare, '/repos').href).toBe('https://api.example.com/repos');
});

test.each(['ftp://x/', 'nothing', 'https://user:pass@x.example/', ''])('%j is no base URL', (url) => {
  expect(() => parseServiceBase('x', url)).toThrow(expect.objectContaining({ code: 'service_unavailable' }));
});

describe('a redirect', () => {
  const from = new URL('https://api.example.com/v3/acme/repos/1');
  test.each([
    ['2', 'https://api.example.com/v3/acme/repos/2'],
    ['/v3/acme/other', 'https://api.example.com/v3/acme/other'],
    ['//api.example.com/v3/acme/x', 'https://api.example.com/v3/acme/x'],
    ['?y', 'https://api.example.com/v3/acme/repos/1?y'],
  ])('to %j is followed', (location, expected) => {
    expect(resolveRedirect(base, from, location).href).toBe(expected);
  });
  test.each([
    '/other',
    '../../../other',
    'https://evil.example/v3/acme/',
    '//evil.example/v3/acme/',
    'http://api.example.com/v3/acme/',
    'https://user:pass@api.example.com/v3/acme/',
    '/v3/acme/%2e%2e%2fother',
    'https://',
  ])('to %j is not', (location) => {
    expect(() => resolveRedirect(base, from, location)).toThrow(
      expect.objectContaining({ code: 'service_host_refused' }),
    );
  });
});
