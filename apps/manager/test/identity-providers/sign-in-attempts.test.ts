import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpBrowser, type BrowserPage } from '../authorization-server/http-browser.js';
import { completeLogin } from '../authorization-server/login-flow.js';
import { givePassword, startTestServer, type TestClient } from '../authorization-server/test-server.js';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { type EvilIssuer, type EvilProvider, startEvilProvider } from './evil-provider.js';
import {
  addProvider,
  asksForApproval,
  leaveFor,
  openLogin,
  type OpenLogin,
  type ProviderTest,
  signInThrough,
  startProviderTest,
  type TestProvider,
  visitProvider,
} from './provider-flow.js';

describe('an attempt to sign in', () => {
  let manager: ProviderTest;
  let provider: EvilProvider;
  let tenant: TestTenant;
  let client: TestClient;
  let good: EvilIssuer;
  let added: TestProvider;
  let login: OpenLogin;

  beforeAll(async () => {
    [manager, provider] = await Promise.all([startProviderTest(), startEvilProvider()]);
    ({ tenant, client } = await manager.newTenant());
    good = provider.issuer('good');
    added = await addProvider(manager, tenant, good, { name: 'Good' });
  }, 60_000);
  afterAll(async () => {
    await manager?.server.close();
    await provider?.close();
  });
  beforeEach(async () => {
    manager.log.length = 0;
    login = await openLogin(tenant, client);
  });

  /** Up to the answer of the provider, which the browser has not brought back yet. */
  async function answerFor(own: OpenLogin, name = 'Good'): Promise<string> {
    const left = await leaveFor(own, `Sign in with ${name}`);
    if (!('url' in left)) throw new Error(`did not leave: ${left.page.status}`);
    return visitProvider(left.url);
  }
  const isOver = ({ status, text }: BrowserPage) => status === 410 && text.includes('This step is over');
  const goesOn = ({ text }: BrowserPage) => text.includes('Go on with the sign-in');

  test('is completed once: the same answer again ends on a page that leads back to the sign-in', async () => {
    const back = await answerFor(login);
    const approval = await login.browser.get(back);
    expect(asksForApproval(approval)).toBe(true);
    const again = await login.browser.get(back);
    expect({ over: isOver(again), goesOn: goesOn(again) }).toEqual({ over: true, goesOn: true });
    expect(asksForApproval(await login.browser.get(approval.url))).toBe(true);
  });

  test('is completed once also by four requests at the same moment', async () => {
    const back = await answerFor(login);
    const pages = await Promise.all([1, 2, 3, 4].map(() => login.browser.get(back)));
    expect(pages.filter(asksForApproval)).toHaveLength(1);
    expect(pages.filter(isOver)).toHaveLength(3);
  });

  test('is not completed by another browser, and that does not use it up', async () => {
    const back = await answerFor(login);
    const other = await createHttpBrowser().get(back);
    expect({ over: isOver(other), goesOn: goesOn(other) }).toEqual({ over: true, goesOn: false });
    expect(asksForApproval(await login.browser.get(back))).toBe(true);
  });

  test('is not completed by a browser with another value of its cookie', async () => {
    const back = await answerFor(login);
    const [key, cookie] = [...login.browser.cookies].find(([, { name }]) => name.startsWith('authsec_idp_'))!;
    const other = createHttpBrowser();
    other.cookies.set(key, { ...cookie, value: 'A'.repeat(43) });
    expect(isOver(await other.get(back))).toBe(true);
    expect(asksForApproval(await login.browser.get(back))).toBe(true);
  });

  test('is not completed by another tab with its own state, nor by another login of the same browser', async () => {
    const second = await openLogin(tenant, client, login.browser);
    const [one, two] = [new URL(await answerFor(login)), new URL(await answerFor(second))];
    const mixed = new URL(one);
    mixed.searchParams.set('state', two.searchParams.get('state')!);
    const page = await login.browser.get(mixed.href);
    expect(page.text).toContain('This way to sign in did not work');
    expect(manager.log.map(({ check }) => check)).toEqual(['token_endpoint.invalid_grant']);
    expect(asksForApproval(await login.browser.get(one.href))).toBe(true);
  });

  test.each([
    ['no state', (answer: URLSearchParams) => answer.delete('state')],
    ['an empty state', (answer: URLSearchParams) => answer.set('state', '')],
    ['a made-up state', (answer: URLSearchParams) => answer.set('state', 'A'.repeat(43))],
    ['two states', (answer: URLSearchParams) => answer.append('state', 'A'.repeat(43))],
    ['nothing at all', (answer: URLSearchParams) => [...answer.keys()].forEach((name) => answer.delete(name))],
    [
      'an error under no state',
      (answer: URLSearchParams) => (answer.delete('state'), answer.set('error', 'access_denied')),
    ],
  ])('is not completed by an answer with %s, and that uses nothing up', async (_what, change) => {
    const back = new URL(await answerFor(login));
    const changed = new URL(back);
    change(changed.searchParams);
    expect(isOver(await login.browser.get(changed.href))).toBe(true);
    expect(good.requests.at(-1)!.path).toBe('authorize');
    expect(asksForApproval(await login.browser.get(back.href))).toBe(true);
  });

  test('is over when its time is', async () => {
    const back = await answerFor(login);
    await tenant.db.signInAttempt.updateMany({ data: { expiresAt: new Date(Date.now() - 1_000) } });
    const page = await login.browser.get(back);
    expect({ over: isOver(page), goesOn: goesOn(page) }).toEqual({ over: true, goesOn: true });
    expect(good.requests.at(-1)!.path).toBe('authorize');
  });

  test('of one tenant completes no login of another, also with the same provider and the same browser', async () => {
    const { tenant: other, client: otherClient } = await manager.newTenant();
    const elsewhere = await addProvider(manager, other, good, { name: 'Good' });
    const theirs = await openLogin(other, otherClient, login.browser);
    const back = new URL(await answerFor(login));
    const moved = `${elsewhere.callbackUrl}${back.search}`;
    for (const cookie of login.browser.cookies.values()) {
      const path = new URL(elsewhere.callbackUrl).pathname;
      login.browser.cookies.set(`${path} ${cookie.name}`, { ...cookie, path });
    }
    expect(isOver(await login.browser.get(moved))).toBe(true);
    expect(await other.db.user.count()).toBe(0);
    expect((await theirs.browser.get(theirs.page.url)).text).toContain('Sign in with Good');
    expect(asksForApproval(await login.browser.get(back.href))).toBe(true);
  });

  test('at one provider is not completed at the callback of another: mix-up', async () => {
    const evil = await addProvider(manager, tenant, provider.issuer('mix-up'), { name: 'Evil' });
    const back = new URL(await answerFor(login));
    for (const cookie of login.browser.cookies.values()) {
      const path = new URL(evil.callbackUrl).pathname;
      login.browser.cookies.set(`${path} ${cookie.name}`, { ...cookie, path });
    }
    expect(isOver(await login.browser.get(`${evil.callbackUrl}${back.search}`))).toBe(true);
    expect(asksForApproval(await login.browser.get(back.href))).toBe(true);
    expect(added.callbackUrl).not.toBe(evil.callbackUrl);
    await tenant.db.identityProvider.delete({ where: { id: evil.id } });
  });

  test('the result of one browser signs no other browser in: the link is worth nothing in a victim’s', async () => {
    const back = await answerFor(login);
    const [cookieHeader] = [...login.browser.cookies.values()].filter(({ name }) => name.startsWith('authsec_idp_'));
    const step = await fetch(back, {
      headers: { cookie: `${cookieHeader!.name}=${cookieHeader!.value}` },
      redirect: 'manual',
    });
    const result = step.headers.get('location')!;
    expect(result).toMatch(/\/interaction\/[\w-]+\/came-back\?result=[\w-]{43}$/);
    expect(isOver(await createHttpBrowser().get(result))).toBe(true);
    const victim = await openLogin(tenant, client);
    expect(isOver(await victim.browser.get(result))).toBe(true);
    const intoOwn = `${victim.page.url}/came-back?result=${new URL(result).searchParams.get('result')}`;
    expect(isOver(await victim.browser.get(intoOwn))).toBe(true);
    expect((await victim.browser.get(victim.page.url)).text).toContain('Sign in with Good');
  });

  test('somebody who refuses at the provider comes to a page that leads back', async () => {
    const back = new URL(await answerFor(login));
    back.searchParams.delete('code');
    back.searchParams.set('error', 'access_denied');
    const page = await login.browser.get(back.href);
    expect(page.text).toContain('You did not sign in');
    expect(page.text).toContain('Back to sign-in');
    expect(manager.log).toEqual([]);
    expect(
      asksForApproval(await signInThrough({ ...login, page: await login.browser.get(login.page.url) }, 'Good')),
    ).toBe(true);
  });

  test('what is stored of it opens nothing: hashes, and a sealed request bound to its row', async () => {
    const back = new URL(await answerFor(login));
    const state = back.searchParams.get('state')!;
    const rows = await tenant.db.signInAttempt.findMany({ where: { usedAt: null } });
    const cookies = [...login.browser.cookies.values()].map(({ value }) => value);
    const stored = rows
      .map(
        (row) =>
          `${JSON.stringify({ ...row, sealedRequest: '' })} ${Buffer.from(row.sealedRequest).toString('latin1')}`,
      )
      .join();
    for (const secret of [state, ...cookies]) expect(stored).not.toContain(secret);
    const own = rows.find(({ stateHash }) => stored.includes(stateHash))!;
    const { sealer } = manager.server.container;
    expect(() => sealer.open(own.sealedRequest, `${tenant.id}/sign_in_attempts/another`)).toThrow();
    expect(sealer.open(own.sealedRequest, `${tenant.id}/sign_in_attempts/${own.stateHash}`).toString()).toContain(
      'code_verifier',
    );
  });

  test('the cookie of an attempt is for its callback alone, not for scripts, and gone when the attempt is', async () => {
    await answerFor(login);
    const cookie = [...login.browser.cookies.values()].find(({ name }) => name.startsWith('authsec_idp_'))!;
    expect(cookie.path).toBe(new URL(added.callbackUrl).pathname);
    expect(cookie.attributes).toMatch(/HttpOnly/i);
    expect(cookie.attributes).toMatch(/SameSite=Lax/i);
    expect(cookie.attributes).toMatch(/Max-Age=600/i);
  });

  test('a failure at the provider touches no login that lives', async () => {
    const person = await createTestPerson(tenant);
    await givePassword(tenant, person.id);
    await completeLogin(tenant, client, person.email);
    const before = await tenant.db.session.findMany();
    good.behaviour = { token: { status: 500 } };
    expect((await signInThrough(login, 'Good')).status).toBe(502);
    good.behaviour = {};
    expect(await tenant.db.session.findMany()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });

  test('a provider that was switched off meanwhile signs nobody in', async () => {
    const back = await answerFor(login);
    await tenant.db.identityProvider.update({ where: { id: added.id }, data: { enabled: false } });
    expect(isOver(await login.browser.get(back))).toBe(true);
    expect((await login.browser.get(login.page.url)).text).not.toContain('Sign in with Good');
    await tenant.db.identityProvider.update({ where: { id: added.id }, data: { enabled: true } });
  });

  test('a form of another site begins nothing', async () => {
    const fields = { action: `provider:${added.id}` };
    const before = await tenant.db.signInAttempt.count();
    const csrf = /name="csrf" value="([^"]+)"/.exec(login.page.text)![1]!;
    const forged = await login.browser.send(
      login.page.url,
      { ...fields, csrf },
      { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
    );
    const without = await login.browser.send(login.page.url, fields, { 'sec-fetch-site': 'same-origin' });
    expect([forged.status, without.status]).toEqual([403, 403]);
    expect(await tenant.db.signInAttempt.count()).toBe(before);
  });

  test.each(['provider:', 'provider:x', `provider:${crypto.randomUUID()}`, "provider:' OR 1=1", 'link:x', 'provider'])(
    'an action that names no provider (%s) is answered with a page',
    async (action) => {
      const csrf = /name="csrf" value="([^"]+)"/.exec(login.page.text)![1]!;
      const page = await login.browser.send(login.page.url, { action, csrf }, { 'sec-fetch-site': 'same-origin' });
      expect(page.status).toBeLessThan(503);
      expect(page.text).toContain('<h1>');
    },
  );
});

test('where the operator did not allow private addresses, a provider on one is not asked', async () => {
  const provider = await startEvilProvider();
  const server = await startTestServer();
  try {
    const tenant = await server.createTenant();
    const { createClient } = await import('../authorization-server/test-server.js');
    const client = await createClient(tenant);
    for (const [name, kind] of [
      ['OIDC', 'oidc'],
      ['OAuth', 'oauth2'],
    ] as const) {
      const issuer = provider.issuer(name);
      await addProvider({ server, log: [], newTenant: () => Promise.reject(new Error()) }, tenant, issuer, {
        name,
        kind,
      });
      const page = await signInThrough(await openLogin(tenant, client), name);
      expect(page.status).toBe(502);
      expect(issuer.requests.map(({ path }) => path).filter((path) => path !== 'authorize')).toEqual([]);
    }
    expect(await tenant.db.user.count()).toBe(0);
  } finally {
    await server.close();
    await provider.close();
  }
}, 60_000);
