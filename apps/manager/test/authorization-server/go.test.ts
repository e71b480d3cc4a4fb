import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pendingPerApplication, pendingPerBucket } from '../../src/authorization-server/pushed-logins.js';
import { createKeptLog } from '../support/kept-log.js';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { createHttpBrowser, hiddenOf, textOf } from './http-browser.js';
import { asksForPassword } from './login-flow.js';
import {
  basicOf,
  createClient,
  givePassword,
  password,
  pushLogin,
  startTestServer,
  type TestClient,
  type TestServer,
} from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
const log = createKeptLog('error');

beforeAll(async () => {
  server = await startTestServer({ logger: log.logger });
  tenant = await server.createTenant();
  client = await createClient(tenant);
});
afterAll(() => server.close());

const pending = () => tenant.db.pushedLogin.count({ where: { usedAt: null } });

describe('a push', () => {
  test('answers with a link that is good for ten minutes', async () => {
    const { response, authorizationUrl } = await pushLogin(tenant.issuer, client);
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      authorization_url: authorizationUrl,
      expires_in: 600,
      audience: expect.any(String),
    });
    expect(authorizationUrl).toMatch(new RegExp(`^${tenant.issuer}/go/[\\w-]{43}$`));
    expect(await tenant.db.providerModel.count({ where: { model: 'PushedAuthorizationRequest' } })).toBe(0);
  });

  test.each([
    ['a wrong secret', () => basicOf(client.clientId, 'wrong'), {}, 401, 'invalid_client'],
    ['an unknown client', () => basicOf('nobody', 'wrong'), { client_id: 'nobody' }, 401, 'invalid_client'],
    ['no authentication', () => undefined, {}, 401, 'invalid_client'],
    ['no PKCE', () => client.basic, { code_challenge: '', code_challenge_method: '' }, 400, 'invalid_request'],
    ['plain PKCE', () => client.basic, { code_challenge_method: 'plain' }, 400, 'invalid_request'],
    ['a foreign redirect', () => client.basic, { redirect_uri: 'https://evil.test/' }, 400, 'invalid_request'],
    ['another response type', () => client.basic, { response_type: 'token' }, 400, 'unsupported_response_type'],
    ['another response mode', () => client.basic, { response_mode: 'query' }, 400, 'invalid_request'],
    ['an unknown response mode', () => client.basic, { response_mode: 'smoke' }, 400, 'unsupported_response_mode'],
    ['no MCP session', () => client.basic, { mcp_session: '' }, 400, 'invalid_request'],
    ['a malformed MCP session', () => client.basic, { mcp_session: '1' }, 400, 'invalid_request'],
    ['a time of its own', () => client.basic, { requested_at: '1' }, 400, 'invalid_request'],
    ['a foreign resource', () => client.basic, { resource: 'https://other.test/' }, 400, 'invalid_target'],
    ['a NUL', () => client.basic, { state: 'a\0b' }, 400, 'invalid_request'],
  ])('with %s is refused and leaves nothing behind', async (_what, basic, fields, status, error) => {
    const before = await pending();
    const { response } = await pushLogin(tenant.issuer, { ...client, basic: basic() as string }, fields);
    expect([response.status, await response.json()]).toMatchObject([status, { error }]);
    expect(await pending()).toBe(before);
  });

  test.each([
    ['has no room', '53300', 503, 'temporarily_unavailable'],
    ['fails', 'XX000', 500, 'server_error'],
  ])(
    'that the database %s for is an error as any other, which tells nothing of it; the log does',
    async (_what, code, status, error) => {
      const own = await server.createTenant();
      log.clear();
      await own.db.$executeRawUnsafe(
        `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '${code}'; END $$`,
      );
      await own.db.$executeRaw`
      CREATE TRIGGER fails BEFORE INSERT ON pushed_logins FOR EACH ROW EXECUTE FUNCTION fail()`;
      const { response } = await pushLogin(own.issuer, await createClient(own));
      expect(response.headers.get('cache-control')).toBe('no-store');
      const body = await response.text();
      expect([response.status, JSON.parse(body)]).toMatchObject([status, { error }]);
      expect(body).not.toContain('canary');
      const lines = log
        .text()
        .split('\n')
        .filter((line) => line !== '');
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'error', tenant_id: own.id }]);
    },
  );

  test('of the hash of the secret as it is stored is refused', async () => {
    const { clientSecretHash } = await tenant.db.application.findUniqueOrThrow({ where: { id: client.id } });
    const thief = { ...client, basic: basicOf(client.clientId, clientSecretHash!) };
    expect((await pushLogin(tenant.issuer, thief)).response.status).toBe(401);
  });

  test('of an application that is disabled is refused, and links that it has do not work', async () => {
    const leaving = await createClient(tenant);
    const { authorizationUrl } = await pushLogin(tenant.issuer, leaving);
    await tenant.db.application.update({ where: { id: leaving.id }, data: { status: 'disabled' } });
    expect((await pushLogin(tenant.issuer, leaving)).response.status).toBe(401);
    expect((await createHttpBrowser().get(authorizationUrl)).status).toBe(410);
  });

  test('of an application that may not end on the completion page is refused', async () => {
    const plain = await createClient(tenant, { completionPage: false, redirectUris: ['https://app.test/back'] });
    const { response } = await pushLogin(tenant.issuer, plain, { redirect_uri: 'https://app.test/back' });
    expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });
});

describe('the link', () => {
  test('shows tenant, application, client and address as reported, escaped, and changes nothing', async () => {
    const { authorizationUrl } = await pushLogin(tenant.issuer, client, {
      client_name: '<b>Inspector</b>',
      client_address: '2001:db8::1',
    });
    for (let look = 0; look < 3; look++) {
      const page = await createHttpBrowser().get(authorizationUrl);
      expect(page.status).toBe(200);
      for (const text of ['Demo tools', tenant.id, '&lt;b&gt;Inspector&lt;/b&gt;', '2001:db8::1', 'not verified']) {
        expect(page.text).toContain(text);
      }
      expect(page.text).not.toContain('<b>');
    }
    const browser = createHttpBrowser();
    const page = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    expect(asksForPassword(page)).toBe(true);
  });

  test('does not show a name with control characters or an address that is none', async () => {
    const { authorizationUrl } = await pushLogin(tenant.issuer, client, {
      client_name: 'evil\u202Etxt',
      client_address: 'your bank',
    });
    const page = await createHttpBrowser().get(authorizationUrl);
    expect(page.text).not.toContain('evil');
    expect(page.text).not.toContain('your bank');
    expect(page.text).toContain('not reported');
  });

  test('is used up by its button, once', async () => {
    const browser = createHttpBrowser();
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    const page = await browser.get(authorizationUrl);
    await browser.press(page, 'Continue to sign-in');
    expect((await browser.press(page, 'Continue to sign-in')).status).toBe(410);
    expect((await browser.get(authorizationUrl)).status).toBe(410);
  });

  test('is used up once by four browsers at the same moment', async () => {
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    const browsers = [1, 2, 3, 4].map(() => createHttpBrowser());
    const pages = await Promise.all(browsers.map((browser) => browser.get(authorizationUrl)));
    const ends = await Promise.all(browsers.map((browser, i) => browser.press(pages[i]!, 'Continue to sign-in')));
    expect(ends.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410, 410, 410]);
  });

  test('is not used by a form from elsewhere', async () => {
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    const victim = createHttpBrowser();
    const attacker = createHttpBrowser();
    await victim.get(authorizationUrl);
    const csrf = hiddenOf(await attacker.get(authorizationUrl), 'csrf')!;
    const mine = hiddenOf(await victim.get(authorizationUrl), 'csrf')!;
    expect(mine).not.toBe(csrf);
    const attempts = [
      victim.send(authorizationUrl, {}),
      victim.send(authorizationUrl, { csrf }),
      victim.send(authorizationUrl, { csrf: mine }, { origin: 'https://evil.test' }),
      victim.send(authorizationUrl, { csrf: mine }, { 'sec-fetch-site': 'cross-site' }),
      createHttpBrowser().send(authorizationUrl, { csrf: mine }),
    ];
    for (const { status } of await Promise.all(attempts)) expect(status).toBe(403);
    const before = await victim.get(authorizationUrl);
    expect((await victim.press(before, 'Continue to sign-in')).status).toBe(200);
  });

  test('does not work after ten minutes', async () => {
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    await tenant.db.$executeRaw`UPDATE pushed_logins SET expires_at = now() - interval '1 second'`;
    const page = await createHttpBrowser().get(authorizationUrl);
    expect([page.status, page.text]).toEqual([410, expect.stringContaining('Ask the assistant for a new one')]);
  });

  test('tells on the approval page when it was asked for, by our clock', async () => {
    const person = await createTestPerson(tenant);
    await givePassword(tenant, person.id);
    const { authorizationUrl } = await pushLogin(tenant.issuer, client, { client_address: '198.51.100.4' });
    await tenant.db.$executeRaw`UPDATE pushed_logins SET created_at = '2026-01-02T03:04:05Z' WHERE used_at IS NULL`;
    const browser = createHttpBrowser();
    const form = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    const approval = await browser.press(form, 'Sign in', { email: person.email, password });
    for (const text of ['2026-01-02T03:04:05', 'Test client', '198.51.100.4']) expect(approval.text).toContain(text);
    expect(textOf(await browser.press(approval, 'Approve'), 'code')).toBeDefined();
  });
});

describe('a flood of pushes', () => {
  const flood = (own: TestTenant, applicationId: string, count: number, bucket: string) => own.db.$executeRaw`
    INSERT INTO pushed_logins (id_hash, application_id, request, expires_at)
    SELECT gen_random_uuid()::text, ${applicationId}::uuid,
           jsonb_build_object('parameters', '{}'::jsonb, 'bucket', ${bucket}::text), now() + interval '10 minutes'
      FROM generate_series(1, ${count}::int)`;

  test('from one network leaves the links of others, and is cut down to its bound', async () => {
    const own = await server.createTenant();
    const flooded = await createClient(own);
    const other = await createClient(own);
    const victim = await pushLogin(own.issuer, flooded, { client_address: '192.0.2.1' });
    const unreported = await pushLogin(own.issuer, flooded);
    const elsewhere = await pushLogin(own.issuer, other);
    await flood(own, flooded.id, 20_000, '203.0.113.9');
    for (let push = 0; push < 100; push++) {
      await pushLogin(own.issuer, flooded, { client_address: `192.0.2.${2 + (push % 4)}` });
    }
    const { authorizationUrl } = await pushLogin(own.issuer, flooded, { client_address: '192.0.2.3' });
    expect(await own.db.pushedLogin.count()).toBeLessThan(pendingPerBucket + 150);
    for (const link of [victim, unreported, elsewhere].map((push) => push.authorizationUrl).concat(authorizationUrl)) {
      expect((await createHttpBrowser().get(link)).status).toBe(200);
    }
  });

  test('from many networks, or from none that is reported, cannot exceed the bound of the application', async () => {
    const own = await server.createTenant();
    const flooded = await createClient(own);
    await flood(own, flooded.id, pendingPerApplication, '');
    await own.db.$executeRaw`
      INSERT INTO pushed_logins (id_hash, application_id, request, expires_at)
      SELECT gen_random_uuid()::text, ${flooded.id}::uuid,
             jsonb_build_object('parameters', '{}'::jsonb, 'bucket', n::text), now() + interval '10 minutes'
        FROM generate_series(1, 5000) n`;
    let last = '';
    for (let push = 0; push < 101; push++) last = (await pushLogin(own.issuer, flooded)).authorizationUrl;
    expect(await own.db.pushedLogin.count()).toBeLessThanOrEqual(pendingPerApplication + 100);
    expect((await createHttpBrowser().get(last)).status).toBe(200);
  });

  test('from one network is slowed down without slowing another', async () => {
    const own = await server.createTenant();
    const flooded = await createClient(own);
    const pushes = Array.from({ length: 70 }, () =>
      pushLogin(own.issuer, flooded, { client_address: '198.51.100.77' }),
    );
    const refused = (await Promise.all(pushes)).map(({ response }) => response).filter(({ status }) => status === 429);
    expect(refused).toHaveLength(10);
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused[0]!.json()).toMatchObject({ error: 'temporarily_unavailable' });
    expect((await pushLogin(own.issuer, flooded, { client_address: '198.51.100.78' })).response.status).toBe(201);
  });

  test.each(['127.0.0.1', '::1', '10.1.2.3', 'fd00::1', '::ffff:192.168.0.1'])(
    'from %s, where many may be behind one address, slows nobody down and pushes out no earlier link',
    async (client_address) => {
      const own = await server.createTenant();
      const client = await createClient(own);
      const victim = await pushLogin(own.issuer, client, { client_address });
      for (let round = 0; round < 11; round++) {
        const pushes = Array.from({ length: 10 }, () => pushLogin(own.issuer, client, { client_address }));
        const statuses = (await Promise.all(pushes)).map(({ response }) => response.status);
        expect(new Set(statuses)).toEqual(new Set([201]));
      }
      expect((await createHttpBrowser().get(victim.authorizationUrl)).status).toBe(200);
    },
  );
});
