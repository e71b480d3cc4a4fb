import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createManagerClient, type Transport, type TransportRequest } from '../src/index.js';
import { problem, sid, startApiServer, type ApiServer } from './support/api-server.js';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

test.each(['secret_store_unavailable', 'service_unavailable', 'rate_limited'])(
  'a credential is asked for once: %s is not asked again, though it passes',
  async (code) => {
    server.onApi((_, response) => problem(response, 503, code, { 'retry-after': '0' }));
    const client = createManagerClient({ issuer: server.issuer, clientId: 'demo', clientSecret: 's', maxRetries: 2 });
    await expect(client.services.issueCredential({ sid, service: 'github' })).rejects.toMatchObject({ code });
    expect(server.apiRequests().map(({ method, path, body }) => [method, path, JSON.parse(body)])).toEqual([
      ['POST', '/v1/service-credentials', { sid, service: 'github', raw: false, previous: false }],
    ]);
  },
);

test('a credential is given up after 2.3 s, all else after what the client was told', async () => {
  const sent: TransportRequest[] = [];
  const transport: Transport = {
    async send(request) {
      sent.push(request);
      const body = JSON.stringify({ access_token: 'x', token_type: 'Bearer', expires_in: 60 });
      return request.url.endsWith('/token')
        ? { status: 200, header: () => 'application/json', body }
        : { status: 204, header: () => null, body: '' };
    },
  };
  const { services } = createManagerClient({ issuer: server.issuer, clientId: 'd', clientSecret: 's', transport });
  const id = '7f6f6b1e-6f0c-4e6e-9b43-3f3d1a2b4c5d';
  await services.issueCredential({ sid, service: 'github' }).catch(() => {});
  await services.issueCredential({ sid, service: 'github' }, { timeoutMs: 100 }).catch(() => {});
  await services.renewLease(id, {}).catch(() => {});
  await services.endLease(id);
  await services.delete(id);
  await services.disconnect(id, id);
  expect(sent.slice(1).map(({ method, url, timeoutMs }) => `${method} ${new URL(url).pathname} ${timeoutMs}`)).toEqual([
    'POST /v1/service-credentials 2300',
    'POST /v1/service-credentials 100',
    `POST /v1/service-leases/${id}/renew 2300`,
    `DELETE /v1/service-leases/${id} 10000`,
    `DELETE /v1/services/${id} 10000`,
    `DELETE /v1/services/${id}/connections/${id} 10000`,
  ]);
});

test.each(['../x', 'a/b', 'A', 'x%2fy', 'x\u0000', '', 'é'])(
  '%j is no name of a service, and nothing is sent',
  async (service) => {
    const client = createManagerClient({ issuer: server.issuer, clientId: 'demo', clientSecret: 's' });
    await expect(client.services.issueCredential({ sid, service })).rejects.toThrow(/^body\.service: /);
    await expect(client.services.connect({ sid, service })).rejects.toThrow(/^body\.service: /);
    expect(server.apiRequests()).toEqual([]);
  },
);
