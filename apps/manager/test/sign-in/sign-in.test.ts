import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createHttpBrowser,
  hiddenOf,
  textOf,
  type BrowserPage,
  type HttpBrowser,
} from '../authorization-server/http-browser.js';
import { asksForPassword, completeLogin } from '../authorization-server/login-flow.js';
import {
  createClient,
  givePassword,
  password,
  pushLogin,
  startTestServer,
  type TestClient,
  type TestServer,
} from '../authorization-server/test-server.js';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let email: string;

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createClient(tenant);
  email = await createAccount();
});
afterAll(() => server.close());

async function createAccount(status: 'active' | 'disabled' = 'active'): Promise<string> {
  const person = await createTestPerson(tenant, { status });
  await givePassword(tenant, person.id);
  return person.email;
}

/** The sign-in page of a fresh login. */
async function open(browser: HttpBrowser = createHttpBrowser(), own = { tenant, client }): Promise<BrowserPage> {
  const { authorizationUrl } = await pushLogin(own.tenant.issuer, own.client);
  return browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
}

describe('a password', () => {
  test('that is wrong, of nobody, of a disabled person or of a person without one is one answer', async () => {
    const disabled = await createAccount('disabled');
    const { email: without } = await createTestPerson(tenant);
    const browser = createHttpBrowser();
    let page = await open(browser);
    const answers = new Set<string>();
    for (const [who, given] of [
      [email, 'wrong'],
      ['nobody@example.test', password],
      [disabled, password],
      [without, password],
      ['a\0b@example.test', password],
      [email, 'x'.repeat(5000)],
      [email, ''],
    ] as const) {
      page = await browser.press(page, 'Sign in', { email: who, password: given });
      answers.add(`${page.status} ${textOf(page, 'problem')}`);
      expect(page.text).not.toContain(given === '' ? 'impossible' : `value="${given}"`);
    }
    expect([...answers]).toEqual(['422 E-mail address or password is not right.']);
  });

  test('is taken whatever the case of the address', async () => {
    const browser = createHttpBrowser();
    const page = await browser.press(await open(browser), 'Sign in', { email: ` ${email.toUpperCase()}`, password });
    expect(page.text).toContain('Approve this sign-in?');
  });

  test('that is right is not counted as a guess: a person may sign in more often than guess', async () => {
    const person = await createAccount();
    for (let time = 0; time < 22; time++) {
      const browser = createHttpBrowser();
      const page = await browser.press(await open(browser), 'Sign in', { email: person, password });
      expect(page.text).toContain('Approve this sign-in?');
    }
  });

  test('cannot be tried without end, and one account does not lock out another or a browser that is known', async () => {
    const [attacked, neighbour] = [await createAccount(), await createAccount()];
    const known = createHttpBrowser();
    await completeLogin(tenant, client, attacked, { browser: known });
    const attacker = createHttpBrowser();
    let page = await open(attacker);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 21; attempt++) {
      page = await attacker.press(page, 'Sign in', { email: attacked, password: `guess ${attempt}` });
      statuses.push(page.status);
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(textOf(page, 'problem')).toMatch(/^Too many attempts\. Try again in /);
    const right = await attacker.press(page, 'Sign in', { email: attacked, password });
    expect(right.status).toBe(429);
    const other = createHttpBrowser();
    const free = await other.press(await open(other), 'Sign in', { email: neighbour, password });
    expect(free.text).toContain('Approve this sign-in?');
  });
});

describe('the forms', () => {
  test('are not taken from another site, without their token, or from another browser', async () => {
    const browser = createHttpBrowser();
    const form = await open(browser);
    const csrf = hiddenOf(form, 'csrf')!;
    const attacker = createHttpBrowser();
    const foreign = hiddenOf(await open(attacker), 'csrf')!;
    const fields = { action: 'sign-in', email, password };
    for (const attempt of [
      browser.send(form.url, fields),
      browser.send(form.url, { ...fields, csrf: foreign }),
      browser.send(form.url, { ...fields, csrf }, { origin: 'https://evil.test' }),
      browser.send(form.url, { ...fields, csrf }, { 'sec-fetch-site': 'same-site' }),
    ]) {
      expect((await attempt).status).toBe(403);
    }
    expect((await attacker.send(form.url, { ...fields, csrf })).status).toBe(410);
    const approval = await browser.press(form, 'Sign in', { email, password });
    for (const attempt of [
      browser.send(approval.url, { action: 'approve' }),
      browser.send(approval.url, { action: 'approve', csrf }),
      browser.send(
        approval.url,
        { action: 'approve', csrf: hiddenOf(approval, 'csrf')! },
        { origin: 'https://evil.test' },
      ),
    ]) {
      expect((await attempt).status).toBe(403);
    }
    expect((await browser.get(approval.url)).text).toContain('Approve this sign-in?');
  });

  test('approve nothing while the person is not signed in', async () => {
    const browser = createHttpBrowser();
    const form = await open(browser);
    const page = await browser.send(form.url, { csrf: hiddenOf(form, 'csrf')!, action: 'approve' });
    expect(asksForPassword(page)).toBe(true);
  });

  test('take no JSON and no other method', async () => {
    const form = await open();
    const cookie = { accept: 'application/json' };
    for (const init of [
      { method: 'PUT', headers: cookie },
      { method: 'DELETE', headers: cookie },
    ]) {
      expect((await fetch(form.url, init)).status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('cookies', () => {
  test('are of one tenant: signing in or starting anew at one does not touch the other', async () => {
    const second = await server.createTenant();
    const secondClient = await createClient(second);
    const person = await createTestPerson(second);
    await givePassword(second, person.id);
    const browser = createHttpBrowser();
    const first = await open(browser);
    await completeLogin(second, secondClient, person.email, { browser });
    const approval = await browser.press(first, 'Sign in', { email, password });
    expect(textOf(await browser.press(approval, 'Approve'), 'code')).toBeDefined();
    const there = await open(browser, { tenant: second, client: secondClient });
    expect(there.text).toContain(person.email);
    for (const { path, attributes } of browser.cookies.values()) {
      expect(path.startsWith(`/t/${tenant.id}`) || path.startsWith(`/t/${second.id}`)).toBe(true);
      expect(attributes).toMatch(/httponly/i);
      expect(attributes).toMatch(/samesite=lax/i);
    }
  });

  test('of one tenant, sent to the other by force, sign nobody in', async () => {
    const second = await server.createTenant();
    const secondClient = await createClient(second);
    const browser = createHttpBrowser();
    await completeLogin(tenant, client, email, { browser });
    for (const cookie of Array.from(browser.cookies.values())) {
      const path = cookie.path.replace(tenant.id, second.id);
      browser.cookies.set(`${path} ${cookie.name}`, { ...cookie, path });
    }
    expect(asksForPassword(await open(browser, { tenant: second, client: secondClient }))).toBe(true);
  });

  test('that somebody made up, or changed, sign nobody in', async () => {
    const browser = createHttpBrowser();
    await completeLogin(tenant, client, email, { browser });
    for (const [key, cookie] of browser.cookies) {
      if (cookie.name === 'authsec_session.sig') browser.cookies.set(key, { ...cookie, value: 'A'.repeat(27) });
    }
    expect(asksForPassword(await open(browser))).toBe(true);
  });

  test('are secure and say so in their name where the Manager is reached by https', async () => {
    const secure = await (await import('../support/test-manager.js')).createTestManager();
    const own = await secure.createTenant();
    const { clientId } = await createClient(own, { completionPage: false, redirectUris: ['https://app.test/back'] });
    const { default: request } = await import('supertest');
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: 'https://app.test/back',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const { headers } = await request(secure.app).get(`/t/${own.id}/auth?${query}`);
    const cookies = headers['set-cookie'] as unknown as string[];
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) expect(cookie).toMatch(/^__Secure-authsec_\w+(\.sig)?=.*; secure/i);
    await secure.close();
  });
});
