import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SecretStoreError } from '../../src/ports/secret-store.js';
import type { BrowserPage, HttpBrowser } from '../authorization-server/http-browser.js';
import {
  type AccountService,
  type AccountsStage,
  departureOf,
  startAccountsStage,
  type TestPerson,
} from '../support/connected-accounts.js';
import type { Fault } from '../support/oauth-service.js';

let stage: AccountsStage;
let service: AccountService;
let signedIn: { readonly person: TestPerson; readonly browser: HttpBrowser };
beforeAll(async () => {
  stage = await startAccountsStage();
  service = await stage.newService();
  const person = await stage.newPerson();
  const { browser } = await stage.openAs(await stage.linkUrl(service, person), person);
  signedIn = { person, browser };
}, 60_000);
afterAll(() => stage?.close());
afterEach(async () => {
  await stage.tenant.db.serviceConnection.deleteMany();
  await stage.tenant.db.sealedSecret.deleteMany({ where: { collection: 'connections' } });
  stage.oauth.person = 'octocat';
  stage.oauth.fault = undefined;
});

/** Sent to the service; by the one who is signed in already unless somebody else is said. */
async function leave(at: AccountService = service, who?: TestPerson) {
  const url = await stage.linkUrl(at, who ?? signedIn.person);
  const { browser, page } = who
    ? await stage.openAs(url, who)
    : { browser: signedIn.browser, page: await signedIn.browser.get(url) };
  const departure = departureOf(await browser.press(page, 'Connect'));
  return { person: who ?? signedIn.person, browser, departure };
}
const isGone = (page: BrowserPage) => page.status === 410 && page.text.includes('does not work any more');
const isConnected = (page: BrowserPage) => page.status === 200 && page.text.includes('Your account is connected');
const connectionsOf = ({ user }: TestPerson) => stage.tenant.db.serviceConnection.count({ where: { userId: user.id } });

describe('the way back', () => {
  test('counts once: loaded anew it is over, and what was connected stays', async () => {
    const { person, browser, departure } = await leave();
    const back = await stage.oauth.visit(departure);
    expect(isConnected(await browser.get(back))).toBe(true);
    expect(isGone(await browser.get(back))).toBe(true);
    expect((await stage.issue(service, person)).status).toBe(201);
  });

  test('counts once also for those that come at the same moment', async () => {
    const { browser, departure } = await leave();
    const back = await stage.oauth.visit(departure);
    const pages = await Promise.all([1, 2, 3].map(() => browser.get(back)));
    expect(pages.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 410, 410]);
  });

  test('works in two tabs, in any order', async () => {
    const { person, browser } = signedIn;
    const one = await browser.get(await stage.linkUrl(service, person));
    const two = await browser.get(await stage.linkUrl(service, person));
    const first = departureOf(await browser.press(one, 'Connect'));
    const second = departureOf(await browser.press(two, 'Connect'));
    expect(isConnected(await browser.get(await stage.oauth.visit(second)))).toBe(true);
    expect(isConnected(await browser.get(await stage.oauth.visit(first)))).toBe(true);
    expect(await connectionsOf(person)).toBe(1);
  });

  test('is over after ten minutes', async () => {
    const { person, browser, departure } = await leave();
    const where = { userId: person.user.id };
    await stage.tenant.db.serviceConnectAttempt.updateMany({ where, data: { expiresAt: new Date() } });
    expect(isGone(await browser.get(await stage.oauth.visit(departure)))).toBe(true);
  });

  test.each<[string, (back: URL) => void]>([
    ['no state', (back) => back.searchParams.delete('state')],
    ['another state', (back) => back.searchParams.set('state', 'x'.repeat(43))],
    ['two states', (back) => back.searchParams.append('state', 'x')],
  ])('%s: it is nobody’s', async (_name, change) => {
    const { person, browser, departure } = await leave();
    const back = new URL(await stage.oauth.visit(departure));
    change(back);
    expect(isGone(await browser.get(back.href))).toBe(true);
    expect(await connectionsOf(person)).toBe(0);
  });

  test('with another cookie is nobody’s, and uses nothing up', async () => {
    const { browser, departure } = await leave();
    const back = await stage.oauth.visit(departure);
    const own = [...browser.cookies].filter(([, { path }]) => path.endsWith(`/callback/${service.id}`));
    for (const [key, cookie] of own) browser.cookies.set(key, { ...cookie, value: 'x'.repeat(43) });
    expect(own.length).toBeGreaterThan(0);
    expect(isGone(await browser.get(back))).toBe(true);
    for (const [key, cookie] of own) browser.cookies.set(key, cookie);
    expect(isConnected(await browser.get(back))).toBe(true);
  });

  test.each<[string, (back: URL) => void]>([
    ['no issuer where one is announced', (back) => back.searchParams.delete('iss')],
    ['another issuer', (back) => back.searchParams.set('iss', 'https://evil.test')],
    ['no code', (back) => back.searchParams.delete('code')],
    ['another code', (back) => back.searchParams.set('code', 'x')],
    ['two codes', (back) => back.searchParams.append('code', 'x')],
    ['an error of theirs', (back) => back.searchParams.set('error', 'server_error')],
  ])('%s: it is not trusted, and it is over', async (_name, change) => {
    const { person, browser, departure } = await leave();
    const back = await stage.oauth.visit(departure);
    const changed = new URL(back);
    change(changed);
    expect((await browser.get(changed.href)).status).toBe(502);
    expect(isGone(await browser.get(back))).toBe(true);
    expect(await connectionsOf(person)).toBe(0);
  });

  test('needs no issuer where none is set', async () => {
    const own = await stage.newService({ issuer: undefined });
    const { browser, departure } = await leave(own);
    const back = new URL(await stage.oauth.visit(departure));
    back.searchParams.set('iss', 'https://whoever.test');
    expect(isConnected(await browser.get(back.href))).toBe(true);
  });

  test('to another service is nobody’s', async () => {
    const other = await stage.newService();
    const { person, browser, departure } = await leave();
    const back = await stage.oauth.visit(departure);
    // A browser would not bring the cookie there: as if it did.
    for (const [key, cookie] of browser.cookies) {
      const path = cookie.path.replace(service.id, other.id);
      if (path !== cookie.path) browser.cookies.set(`${key} there`, { ...cookie, path });
    }
    expect(isGone(await browser.get(back.replace(service.id, other.id)))).toBe(true);
    expect(isGone(await browser.get(back.replace(service.id, 'x')))).toBe(true);
    expect(await connectionsOf(person)).toBe(0);
    expect(isConnected(await browser.get(back))).toBe(true);
  });

  test.each<[string, (own: AccountService, person: TestPerson) => Promise<unknown>]>([
    ['the service was disabled', ({ id }) => stage.admin('patch', `/v1/services/${id}`, { enabled: false })],
    [
      'other endpoints were set',
      ({ id, clientId, clientSecret }) =>
        stage.admin('patch', `/v1/services/${id}`, {
          settings: {
            kind: 'oauth2_authorization_code',
            ...stage.oauth.settings,
            token_endpoint: `${stage.oauth.origin}/other`,
            client_id: clientId,
          },
          secret: { client_secret: clientSecret },
        }),
    ],
    [
      'another scope was set, which was not asked for',
      async ({ id }) => {
        const { settings } = (await stage.admin('get', `/v1/services/${id}`)).body;
        return stage.admin('patch', `/v1/services/${id}`, { settings: { ...settings, scope: 'openid' } });
      },
    ],
    [
      'the login that asked has ended',
      (_own, { sid }) => {
        const { db, id: tenantId } = stage.tenant;
        return stage.server.container.sessions.endSession({ tenantId, db, sid, reason: 'revoked' });
      },
    ],
  ])('is over where meanwhile %s', async (_name, meanwhile) => {
    const own = await stage.newService();
    const { person, browser, departure } = await leave(own, await stage.newPerson());
    await meanwhile(own, person);
    const before = stage.oauth.tokenRequests('authorization_code').length;
    expect(isGone(await browser.get(await stage.oauth.visit(departure)))).toBe(true);
    expect(stage.oauth.tokenRequests('authorization_code')).toHaveLength(before);
    expect(await connectionsOf(person)).toBe(0);
  });

  test.each<[string, (own: AccountService) => Promise<unknown>]>([
    ['the service is deleted', ({ id }) => stage.admin('delete', `/v1/services/${id}`)],
    ['it is disabled', ({ id }) => stage.admin('patch', `/v1/services/${id}`, { enabled: false })],
  ])('leaves nothing in the store where %s in the moment that it is used', async (_name, meanwhile) => {
    const own = await stage.newService();
    const { browser, departure } = await leave(own);
    const back = await stage.oauth.visit(departure);
    stage.oauth.beforeAnswer = async ({ path }) => {
      if (path === '/token') await meanwhile(own);
    };
    try {
      expect(isGone(await browser.get(back))).toBe(true);
    } finally {
      stage.oauth.beforeAnswer = undefined;
    }
    const where = { serviceId: own.id, collection: 'connections', destroyedAt: null };
    expect(await stage.tenant.db.sealedSecret.count({ where })).toBe(0);
    expect(await stage.tenant.db.serviceConnection.count({ where: { serviceId: own.id } })).toBe(0);
  });

  test('with what was sealed for another attempt does not open it', async () => {
    const [one, two] = [await leave(), await leave()];
    const { serviceConnectAttempt: attempts } = stage.tenant.db;
    const [newest, before] = await attempts.findMany({
      where: { userId: two.person.user.id },
      orderBy: { createdAt: 'desc' },
    });
    await attempts.update({ where: { id: newest!.id }, data: { sealedVerifier: before!.sealedVerifier } });
    const asked = stage.oauth.tokenRequests('authorization_code').length;
    expect((await two.browser.get(await stage.oauth.visit(two.departure))).status).toBe(500);
    expect(stage.oauth.tokenRequests('authorization_code')).toHaveLength(asked);
    expect(isConnected(await one.browser.get(await stage.oauth.visit(one.departure)))).toBe(true);
  });
});

describe('at the service', () => {
  test('refused: a page that says so, and nothing is connected', async () => {
    const { person, browser, departure } = await leave();
    stage.oauth.person = undefined;
    const page = await browser.get(await stage.oauth.visit(departure));
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('the request was refused')]);
    expect(await connectionsOf(person)).toBe(0);
  });

  test.each<[string, Fault]>([
    ['down', { reset: true }],
    ['failing', { status: 500, body: 'canary-of-the-answer' }],
    ['answering garbage', { body: '{"access_token": canary-of-the-answer' }],
    ['answering no token', { body: '{"canary":"canary-of-the-answer"}' }],
    ['silent', { hang: true }],
  ])('%s: a clean page within six seconds', async (_name, fault) => {
    const { person, browser, departure } = await leave();
    const back = await stage.oauth.visit(departure);
    stage.oauth.fault = () => fault;
    const startedAt = performance.now();
    const page = await browser.get(back);
    expect([page.status, page.text]).toEqual([502, expect.stringContaining('could not be reached')]);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(`${page.text}${stage.log()}`).not.toContain('canary-of-the-answer');
    expect(await connectionsOf(person)).toBe(0);
  });
});

test.each<[string, () => Promise<never>]>([
  ['is away', () => Promise.reject(new SecretStoreError('unavailable', 'sealed'))],
  ['hangs', () => new Promise(() => {})],
])('where the secret store %s: a clean page, and nothing is connected', async (_name, failing) => {
  const { person, browser, departure } = await leave();
  const back = await stage.oauth.visit(departure);
  const { secrets } = stage.server.container;
  const { write } = secrets;
  Object.assign(secrets, { write: failing });
  try {
    const startedAt = performance.now();
    expect((await browser.get(back)).status).toBe(502);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  } finally {
    Object.assign(secrets, { write });
  }
  expect(await connectionsOf(person)).toBe(0);
});
