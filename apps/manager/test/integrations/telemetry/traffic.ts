import { createClient, givePassword, type TestServer } from '../../authorization-server/test-server.js';
import { createHttpBrowser, textOf } from '../../authorization-server/http-browser.js';
import { password } from '../../authorization-server/test-server.js';
import { createTestPerson } from '../../support/test-data.js';
import { type GuardedServer, openGuardedServer } from './guarded-server.js';

/** A login through the SDK, decisions, a change that is pushed, and what goes wrong now and then: every metric moves. */
export async function driveTraffic(server: TestServer): Promise<GuardedServer> {
  const { container } = server;
  const tenant = await server.createTenant();
  const client = await createClient(tenant);
  const person = await createTestPerson(tenant, { roles: ['admin'] });
  await givePassword(tenant, person.id);

  const guarded = await openGuardedServer(tenant, client);
  const { structuredContent: started } = await guarded.call('oauth_start');
  const browser = createHttpBrowser();
  let page = await browser.press(await browser.get(started.authorization_url), 'Continue to sign-in');
  page = await browser.press(page, 'Sign in', { email: person.email, password });
  page = await browser.press(page, 'Approve');
  await guarded.call('oauth_authenticate', { session_id: started.session_id, code: textOf(page, 'code') });
  await guarded.call('admin_dashboard');

  const api = await openApi(server.url, tenant.issuer, client.basic);
  const { id: sid } = (await tenant.db.session.findFirst())!;
  await api('POST', '/v1/decisions', { sid, requirement: { roles: ['admin'] } });
  await api('POST', '/v1/decisions', { sid, requirement: { roles: ['other'] } });
  const { cursor } = await api('GET', '/v1/changes?wait=0');
  const poll = api('GET', `/v1/changes?after=${cursor}&wait=20`);
  while (container.changes.openPolls() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await api('DELETE', `/v1/sessions/${sid}?reason=logged_out`);
  await poll;

  const limit = container.rateLimits.create('test', { points: 1, windowSeconds: 60 });
  await limit.consume('someone');
  await limit.consume('someone').catch(() => {});
  const serviceId = '6f1c2bb4-5b1e-4a53-9d4e-0a4f6f6f2f10';
  await container.secrets.read({ tenantId: tenant.id, collection: 'services', serviceId }).catch(() => {});

  const { id } = await server.createTenant();
  await container.master.tenant.update({ where: { id }, data: { sealedDatabaseUrl: new Uint8Array([1, 2, 3]) } });
  container.tenants.forget(id);
  await container.tenants.open(id).catch(() => {});
  return guarded;
}

async function openApi(url: string, issuer: string, basic: string) {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: basic },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return async (method: string, path: string, body?: object): Promise<any> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
}
