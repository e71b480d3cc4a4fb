import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, createPkce, startTestServer, type TestServer } from './test-server.js';
import type { TestTenant } from '../support/test-manager.js';

let server: TestServer;
let tenant: TestTenant;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
});
afterAll(() => server.close());

/** The path as it is, which `fetch` would tidy up. */
function send(method: string, path: string, body = ''): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(server.url);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end(body);
  });
}

const limited = [
  ['GET', 'auth'],
  ['POST', 'token'],
  ['POST', 'introspection'],
  ['POST', 'revocation'],
  ['POST', 'request'],
] as const;

describe('an endpoint with a limit has one spelling, so that no other goes around the limit', () => {
  test.each(limited)('%s /%s', async (method, name) => {
    const below = `/t/${tenant.id}`;
    expect((await send(method, `${below}/${name}`)).status).not.toBe(404);
    const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
    const capital = name.charAt(0).toUpperCase() + name.slice(1);
    for (const other of [name.toUpperCase(), capital, `${name}/`, `${name}//`, `/${name}`, `./${name}`, encoded]) {
      expect({ other, ...(await send(method, `${below}/${other}`)) }).toMatchObject({ other, status: 404 });
    }
  });

  test('and what came under another wrote nothing', async () => {
    const redirectUri = 'https://app.example.test/callback';
    const { clientId } = await createClient(tenant, { completionPage: false, redirectUris: [redirectUri] });
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      code_challenge: createPkce().challenge,
      code_challenge_method: 'S256',
    }).toString();
    const before = await tenant.db.providerModel.count();
    for (const path of ['AUTH', 'auth/', 'Auth']) await send('GET', `/t/${tenant.id}/${path}?${query}`);
    expect(await tenant.db.providerModel.count()).toBe(before);
    await send('GET', `/t/${tenant.id}/auth?${query}`);
    expect(await tenant.db.providerModel.count()).toBe(before + 1);
  });
});

describe('a tenant has one spelling', () => {
  test.each([
    (id: string) => `/t/${id.toUpperCase()}/jwks`,
    (id: string) => `/T/${id}/jwks`,
    (id: string) => `//t/${id}/jwks`,
    (id: string) => `/t//${id}/jwks`,
    (id: string) => `/t/${id}%2f../jwks`,
    (id: string) => `/t/${id}%00/jwks`,
    (id: string) => `/t/${id};a/jwks`,
    (id: string) => `/t/other/../${id}/jwks`,
    (id: string) => `/.well-known/oauth-authorization-server/t/${id.toUpperCase()}`,
    (id: string) => `/.well-known/oauth-authorization-server/t/${id}%2f..`,
  ])('%s is not found', async (path) => {
    expect((await send('GET', path(tenant.id))).status).toBe(404);
  });
});

describe('what cannot be read is the fault of who sent it', () => {
  test('a path that does not decode: 400', async () => {
    expect((await send('GET', `/t/${tenant.id}/go/%ff`)).status).toBe(400);
    expect((await send('GET', `/t/${tenant.id}/interaction/%ff`)).status).toBe(400);
  });
});
