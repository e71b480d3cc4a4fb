import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, escapeIdentifier } from 'pg';
import { generateSigningKey } from '../../src/integrations/signing-keys.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser } from './http-browser.js';
import { createClient, post, startTestServer, type TestServer } from './test-server.js';

let server: TestServer;
let tenant: TestTenant;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
});
afterAll(() => server.close());

/** Sends exactly these bytes: clients do not let headers and targets be forged. */
function raw(lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.end([...lines, 'Connection: close', '', ''].join('\r\n')),
    );
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => void (answer += String(chunk)));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('metadata', () => {
  test('lists what is there and nothing else', async () => {
    const answer = await fetch(`${tenant.issuer}/.well-known/openid-configuration`);
    const { issuer } = tenant;
    expect(await answer.json()).toEqual({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      pushed_authorization_request_endpoint: `${issuer}/request`,
      introspection_endpoint: `${issuer}/introspection`,
      revocation_endpoint: `${issuer}/revocation`,
      authorization_response_iss_parameter_supported: true,
      claims_parameter_supported: false,
      claim_types_supported: ['normal'],
      claims_supported: ['iss', 'sub', 'aud', 'iat', 'exp', 'auth_time', 'amr', 'nonce'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      id_token_signing_alg_values_supported: ['ES256'],
      request_uri_parameter_supported: false,
      response_modes_supported: ['query', 'oob'],
      response_types_supported: ['code'],
      scopes_supported: ['openid'],
      subject_types_supported: ['public'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'none'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'PS256'],
    });
    for (const path of ['me', 'reg', 'session/end', 'device', 'device/auth', 'backchannel', 'challenge', 'nothing']) {
      for (const method of ['GET', 'POST']) {
        const { status } = await fetch(`${issuer}/${path}`, { method });
        expect([path, method, status]).toEqual([path, method, 404]);
      }
    }
  });

  test('is the same at the places that RFC 8414 and OpenID Connect Discovery name', async () => {
    const { pathname } = new URL(tenant.issuer);
    const places = [
      `${tenant.issuer}/.well-known/openid-configuration`,
      `${tenant.issuer}/.well-known/oauth-authorization-server`,
      `${server.url}/.well-known/openid-configuration${pathname}`,
      `${server.url}/.well-known/oauth-authorization-server${pathname}`,
    ];
    const [first, ...rest] = await Promise.all(places.map(async (place) => (await fetch(place)).json()));
    for (const other of rest) expect(other).toEqual(first);
  });

  const wellKnown = '.well-known/openid-configuration';
  test.each([
    ['Host', (path: string) => [`GET ${path} HTTP/1.1`, 'Host: evil.test']],
    ['X-Forwarded-Host', (path: string) => [`GET ${path} HTTP/1.1`, 'Host: x', 'X-Forwarded-Host: evil.test']],
    ['X-Forwarded-Proto', (path: string) => [`GET ${path} HTTP/1.1`, 'Host: x', 'X-Forwarded-Proto: gopher']],
    ['Forwarded', (path: string) => [`GET ${path} HTTP/1.1`, 'Host: x', 'Forwarded: host=evil.test;proto=https']],
    ['an absolute target', (path: string) => [`GET http://evil.test${path} HTTP/1.1`, 'Host: evil.test']],
  ])('does not follow a forged %s', async (_what, request) => {
    const { pathname } = new URL(tenant.issuer);
    for (const path of [`${pathname}/${wellKnown}`, `/${wellKnown}${pathname}`]) {
      const answer = await raw(request(path));
      expect(answer).toContain(`"token_endpoint":"${tenant.issuer}/token"`);
      expect(answer).not.toContain('evil');
      expect(answer).not.toContain('gopher');
    }
  });

  test('nor does a link, or a redirect, follow a forged host', async () => {
    const client = await createClient(tenant);
    const { pathname } = new URL(tenant.issuer);
    const auth = await raw([
      `GET ${pathname}/auth?client_id=${client.clientId}&response_type=code HTTP/1.1`,
      'Host: evil.test',
      'X-Forwarded-Host: evil.test',
      'Accept: text/html',
    ]);
    expect(auth).not.toContain('evil.test');
    const slashes = await raw([`GET ${pathname}//evil.test/auth HTTP/1.1`, 'Host: x']);
    expect(slashes).toMatch(/^HTTP\/1\.1 404/);
    expect(slashes).not.toMatch(/location:/i);
  });

  test('says the issuer in its one spelling however the path was spelled', async () => {
    const encoded = tenant.issuer.replace(tenant.id, `%${tenant.id.charCodeAt(0).toString(16)}${tenant.id.slice(1)}`);
    const answer = await fetch(`${encoded}/${wellKnown}`);
    expect(await answer.json()).toMatchObject({ issuer: tenant.issuer, jwks_uri: `${tenant.issuer}/jwks` });
    const upper = await fetch(`${server.url}/t/${tenant.id.toUpperCase()}/${wellKnown}`);
    expect(upper.status).toBe(404);
  });
});

describe('tenants', () => {
  test('that are not there are 404, as a page for a browser', async () => {
    for (const id of ['nobody', '..', 'a%00b', 'x'.repeat(300), '__proto__', 'constructor']) {
      const answer = await fetch(`${server.url}/t/${id}/token`, { method: 'POST' });
      expect([id, answer.status]).toEqual([id, 404]);
      const inserted = await fetch(`${server.url}/.well-known/openid-configuration/t/${id}`);
      expect([id, inserted.status]).toEqual([id, 404]);
    }
    const page = await createHttpBrowser().get(`${server.url}/t/nobody/auth`);
    expect([page.status, page.text]).toEqual([404, expect.stringContaining('There is nothing here')]);
    const [, style] = /<link rel="stylesheet" href="([^"]*)"/.exec(page.text)!;
    expect((await fetch(server.url + style)).headers.get('content-type')).toBe('text/css; charset=utf-8');
  });

  test('whose database is down are unavailable, and the others are not', async () => {
    const broken = await server.createTenant();
    expect((await fetch(`${broken.issuer}/jwks`)).status).toBe(200);
    const admin = new Client({ connectionString: process.env['AUTHSEC_TEST_DATABASE_URL']! });
    await admin.connect();
    const name = `tenant_${broken.id}`;
    await admin.query(`ALTER DATABASE ${escapeIdentifier(name)} ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    await admin.end();
    const { app } = await server.another();
    const { default: request } = await import('supertest');
    const answer = await request(app).get(`/t/${broken.id}/.well-known/openid-configuration`);
    expect([answer.status, answer.body]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
    expect((await request(app).get(`/t/${tenant.id}/jwks`)).status).toBe(200);
  });

  test('publish a new signing key, and sign with it, at once and without a restart', async () => {
    const rotating = await server.createTenant();
    const origin = await server.listenAnother();
    const client = await createClient(rotating);
    const issuer = `${origin}/t/${rotating.id}`;
    const kidOf = async () => {
      const fields = { grant_type: 'client_credentials' };
      const body = (await (await post(`${issuer}/token`, fields, client.basic)).json()) as { access_token: string };
      return (JSON.parse(Buffer.from(body.access_token.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;
    };
    const before = await kidOf();
    await rotating.db.signingKey.updateMany({ data: { status: 'retiring' } });
    const key = await generateSigningKey({ tenantId: rotating.id, sealer: server.container.sealer });
    await rotating.db.signingKey.create({ data: key });
    expect(await kidOf()).toBe(key.kid);
    const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: { kid: string; d?: string }[] };
    expect(keys.map(({ kid }) => kid).sort()).toEqual([before, key.kid].sort());
    expect(keys.some((published) => published.d !== undefined)).toBe(false);
  });
});

describe('pages', () => {
  test('cannot be framed, kept, or made to load or send anything foreign', async () => {
    const client = await createClient(tenant);
    for (const url of [
      `${tenant.issuer}/auth?client_id=${client.clientId}`,
      `${tenant.issuer}/go/x`,
      `${tenant.issuer}/completion`,
    ]) {
      const { headers } = await createHttpBrowser().get(url);
      const policy = headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("form-action 'self'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('have assets that are kept for ever, by their content', async () => {
    const page = await createHttpBrowser().get(`${tenant.issuer}/go/x`);
    const [, style] = /<link rel="stylesheet" href="([^"]*)"/.exec(page.text)!;
    const answer = await fetch(new URL(style!, server.url));
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await fetch(`${tenant.issuer}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
  });
});
