import { describe, expect, test } from '@jest/globals';
import { createManagerClient, parseIssuer, type Transport, type TransportRequest } from '../src/index.js';

const good = { issuer: 'https://authsec.example/base/t/acme', clientId: 'demo', clientSecret: 's' };

test('the addresses follow from the issuer', () => {
  expect(parseIssuer(good.issuer)).toEqual({
    issuer: good.issuer,
    tenantId: 'acme',
    baseUrl: 'https://authsec.example/base',
    apiResource: 'https://authsec.example/base/t/acme/v1',
    tokenEndpoint: 'https://authsec.example/base/t/acme/token',
  });
});

describe('a bad option is a TypeError that names it', () => {
  test.each<[string, Record<string, unknown>]>([
    ['issuer', { issuer: 'https://authsec.example/t/acme/' }],
    ['issuer', { issuer: 'https://authsec.example/t/Acme' }],
    ['issuer', { issuer: 'https://authsec.example/t/acme#x' }],
    ['issuer', { issuer: 'https://a@authsec.example/t/acme' }],
    ['issuer', { issuer: 'http://authsec.example/t/acme' }],
    ['issuer', { issuer: 'http://localhost.evil.example/t/acme' }],
    ['issuer', { issuer: 'http://127.0.0.1.evil.example/t/acme' }],
    ['issuer', { issuer: 'ftp://authsec.example/t/acme' }],
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: 1 }],
    ['timeoutMs', { timeoutMs: 1.5 }],
    ['maxRetries', { maxRetries: -1 }],
    ['maxResponseBytes', { maxResponseBytes: 0 }],
    ['fetch', { fetch: true }],
  ])('%s: %j', (option, change) => {
    const options: typeof good = { ...good, ...change };
    expect(() => createManagerClient(options)).toThrow(TypeError);
    expect(() => createManagerClient(options)).toThrow(new RegExp(`^${option}: `));
  });

  test('http:// where it is said', () => {
    createManagerClient({ ...good, issuer: 'http://authsec.example/t/acme', dangerouslyAllowHttp: true });
  });
});

test('a transport of one’s own carries every request', async () => {
  const sent: TransportRequest[] = [];
  const transport: Transport = {
    async send(request) {
      sent.push(request);
      const token = { access_token: 'x', token_type: 'Bearer', expires_in: 60 };
      const changes = { cursor: '1.0', policy_changed: false, ended: [], held_ms: 0 };
      const body = JSON.stringify(request.url.endsWith('/token') ? token : changes);
      return { status: 200, header: () => 'application/json', body };
    },
  };
  const client = createManagerClient({ ...good, transport });
  expect((await client.changes.poll({ after: '1.0' })).cursor).toBe('1.0');
  expect(sent.map(({ method, url, timeoutMs }) => `${method} ${url} ${timeoutMs}`)).toEqual([
    'POST https://authsec.example/base/t/acme/token 10000',
    'GET https://authsec.example/base/v1/changes?after=1.0&wait=25 35000',
  ]);
});
