import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createApplication } from '../../src/modules/applications/applications.service.js';
import type { TestTenant } from '../support/test-manager.js';
import { createClient, post, pushLogin, startTestServer, type TestServer } from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let trap: Server;
let address: string;
let visits = 0;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  trap = createServer((_request, response) => {
    visits++;
    response.end('{"keys":[]}');
  });
  await once(trap.listen(0, '127.0.0.1'), 'listening');
  address = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
});
afterAll(async () => {
  trap.close();
  await server.close();
});

test('no URL that a client names is fetched: neither in a request, nor in a registration, nor in a header', async () => {
  const client = await createClient(tenant);
  const request = { client_id: client.clientId, request_uri: `${address}/request`, response_type: 'code' };
  const asked = await fetch(`${tenant.issuer}/auth?${new URLSearchParams(request).toString()}`, { redirect: 'manual' });
  expect(asked.status).toBe(400);
  const pushed = await pushLogin(tenant.issuer, client, { request_uri: `${address}/request` });
  expect(pushed.response.status).toBe(400);

  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k1', x5u: `${address}/key`, jku: `${address}/keys` };
  const { clientId } = await createApplication(tenant.db, { name: 'Machine', keys: [key] });
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'unknown', jku: `${address}/keys`, x5u: `${address}/key` })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(tenant.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey);
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const fields = { grant_type: 'client_credentials', client_assertion: assertion, client_assertion_type: type };
  expect((await post(`${tenant.issuer}/token`, fields)).status).toBe(401);
  expect(visits).toBe(0);
});
