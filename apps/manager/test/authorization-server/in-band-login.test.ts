import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser, textOf } from './http-browser.js';
import {
  createClient,
  givePassword,
  password,
  pushLogin,
  redeem,
  startTestServer,
  type TestClient,
  type TestServer,
} from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let email: string;
let userId: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createClient(tenant);
  const person = await createTestPerson(tenant, { roles: ['admin'], groups: ['staff'], scopes: ['read', 'write'] });
  ({ id: userId, email } = person);
  await givePassword(tenant, userId);
});
afterAll(() => server.close());

async function signIn(authorizationUrl: string, browser = createHttpBrowser()) {
  const go = await browser.get(authorizationUrl);
  const form = await browser.press(go, 'Continue to sign-in');
  const approval = await browser.press(form, 'Sign in', { email, password });
  return browser.press(approval, 'Approve');
}

describe('in-band login', () => {
  test('a person gets a code on the page, and the client a token for it', async () => {
    const { response, authorizationUrl, mcpSession, pkce } = await pushLogin(tenant.issuer, client);
    expect(response.status).toBe(201);
    const done = await signIn(authorizationUrl);
    expect(done.status).toBe(200);
    const code = textOf(done, 'code') ?? '';
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as Record<string, string>;
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    const keys = createRemoteJWKSet(new URL(`${tenant.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(body['access_token']!, keys);
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: tenant.issuer,
      aud: 'https://mcp.example.test/mcp',
      sub: userId,
      client_id: client.clientId,
      tenant_id: tenant.id,
      email,
      sid: expect.any(String),
      jti: expect.any(String),
      iat: expect.any(Number),
      nbf: payload.iat,
      exp: payload.iat! + 600,
      mcp_session: mcpSession,
      roles: ['admin'],
      groups: ['staff'],
      scopes: ['read'],
      resources: [],
      scope: 'read',
    });
  });
});
