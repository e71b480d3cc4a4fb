import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestClient } from '../authorization-server/test-server.js';
import type { TestTenant } from '../support/test-manager.js';
import { evilCases } from './evil-cases.js';
import { type EvilProvider, startEvilProvider } from './evil-provider.js';
import {
  addProvider,
  asksForApproval,
  openLogin,
  type OpenLogin,
  type ProviderTest,
  signInThrough,
  startProviderTest,
} from './provider-flow.js';

describe('an evil provider signs nobody in', () => {
  let manager: ProviderTest;
  let provider: EvilProvider;
  let tenant: TestTenant;
  let client: TestClient;
  let login: OpenLogin;

  beforeAll(async () => {
    [manager, provider] = await Promise.all([startProviderTest(), startEvilProvider()]);
    ({ tenant, client } = await manager.newTenant());
    await tenant.db.user.create({ data: { email: 'victim@example.test', emailVerified: true } });
    login = await openLogin(tenant, client);
  }, 60_000);
  afterAll(async () => {
    await manager?.server.close();
    await provider?.close();
  });

  test('there are at least 45 cases, each with a name of its own', () => {
    const names = evilCases.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(45);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(evilCases.map((evil, index) => [evil.name, evil, index] as const))(
    '%s',
    async (name, { kind = 'oidc', settings = {}, check, status = 502, ...behaviour }, index) => {
      const issuer = provider.issuer(`evil-${index}`, behaviour);
      const { id } = await addProvider(manager, tenant, issuer, { name, kind: kind as 'oidc' | 'oauth2', settings });
      const page = await openPage();
      manager.log.length = 0;

      const start = performance.now();
      const end = await signInThrough({ browser: login.browser, page }, name);
      expect(performance.now() - start).toBeLessThan(10_000);

      expect({ status: end.status, log: manager.log }).toMatchObject({
        status,
        log: [{ level: 'warn', tenant: tenant.id, identity_provider: id, check: expect.stringContaining(check) }],
      });
      expect(manager.log[0]!['check']).toMatch(/^[a-z_]+\.[A-Za-z_]+$/);
      expect(end.text).toMatch(/<h1>(This way to sign in did not work|This account cannot be used here)<\/h1>/);
      expect(end.text).toContain('Back to sign-in');
      expect(end.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(`${end.text}${JSON.stringify(manager.log)}`).not.toMatch(
        /eyJ|secret:of|the-access-token|victim@|node_modules\/[^"]*<\/p>/,
      );
      expect(await tenant.db.externalIdentity.count()).toBe(0);
      expect(await tenant.db.user.count()).toBe(1);
      await tenant.db.identityProvider.delete({ where: { id } });
    },
    15_000,
  );

  test('and the login goes on where it was, through a good one', async () => {
    await addProvider(manager, tenant, provider.issuer('good'), { name: 'Good' });
    expect(asksForApproval(await signInThrough({ browser: login.browser, page: await openPage() }, 'Good'))).toBe(true);
  });

  function openPage() {
    return login.browser.get(login.page.url);
  }
});
