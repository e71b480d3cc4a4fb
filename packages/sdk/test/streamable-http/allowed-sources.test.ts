import { describe, expect, test } from '@jest/globals';
import { createAllowedSources } from '../../src/streamable-http/allowed-sources.js';

describe('allowedHosts', () => {
  test('is the loopback where nothing is said', () => {
    const { allowsHost } = createAllowedSources({});
    for (const host of ['localhost', 'localhost:4701', '127.0.0.1:1', '[::1]:80', 'LOCALHOST'])
      expect(allowsHost(host)).toBe(true);
    for (const host of [
      undefined,
      '',
      'example.com',
      'localhost.example.com',
      '127.0.0.2',
      'localhost:80:80',
      'localhost:x',
    ]) {
      expect(allowsHost(host)).toBe(false);
    }
  });

  test('with a port is that port alone, without one every port', () => {
    const { allowsHost } = createAllowedSources({ allowedHosts: ['mcp.example.com', 'other.example.com:8443'] });
    expect(['mcp.example.com', 'mcp.example.com:1', 'other.example.com:8443'].every(allowsHost)).toBe(true);
    expect(['other.example.com', 'other.example.com:1', 'localhost'].some(allowsHost)).toBe(false);
  });

  test.each(['', 'http://x', 'a/b', 'a b', 'user@host'])('%j is a TypeError', (host) => {
    expect(() => createAllowedSources({ allowedHosts: [host] })).toThrow(TypeError);
  });
});

describe('allowedOrigins', () => {
  test('are compared whole; none has to be there', () => {
    const { allowsOrigin } = createAllowedSources({ allowedOrigins: ['https://app.example.com'] });
    expect([undefined, 'https://app.example.com'].every(allowsOrigin)).toBe(true);
    const others = [
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil',
      'null',
      '',
    ];
    expect(others.some(allowsOrigin)).toBe(false);
  });

  test.each(['*', 'null', 'app.example.com', 'https://app.example.com/', 'HTTPS://app.example.com'])(
    '%j is a TypeError',
    (origin) => {
      expect(() => createAllowedSources({ allowedOrigins: [origin] })).toThrow(TypeError);
    },
  );
});
