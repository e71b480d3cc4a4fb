import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHttpBrowser, hiddenOf, type BrowserPage } from '../authorization-server/http-browser.js';
import { password } from '../authorization-server/test-server.js';
import {
  type AccountService,
  type AccountsStage,
  departureOf,
  startAccountsStage,
  type TestPerson,
} from '../support/connected-accounts.js';
import { deferred } from '../support/deferred.js';
import { createTestLogin } from '../support/test-data.js';

let stage: AccountsStage;
let service: AccountService;
beforeAll(async () => {
  stage = await startAccountsStage();
  service = await stage.newService({}, { description: 'Repositories & issues' });
}, 60_000);
afterAll(() => stage?.close());

const connected = () => stage.tenant.db.serviceConnection.findMany({ select: { userId: true } });
const hasConnected = async ({ user }: TestPerson) => (await connected()).some(({ userId }) => userId === user.id);
const isGone = (page: BrowserPage) => page.status === 410 && page.text.includes('does not work any more');
/** At the service, with the link used up. */
async function leave(person: TestPerson) {
  const { browser, page } = await stage.openAs(await stage.linkUrl(service, person), person);
  const departure = departureOf(await browser.press(page, 'Connect'));
  return { browser, page, departure };
}

describe('looking at a link', () => {
  test('changes nothing, and tells what will happen', async () => {
    const person = await stage.newPerson();
    const url = await stage.linkUrl(service, person);
    const before = stage.oauth.requests.length;
    const browser = createHttpBrowser();
    await browser.get(url);
    const page = await browser.get(url);
    expect(page.status).toBe(200);
    for (const part of [service.name, 'Repositories &amp; issues', stage.tenant.id, 'Test', 'What will happen', 'repo'])
      expect(page.text).toContain(part);
    expect(page.text).toContain(new URL(stage.oauth.origin).host);
    expect(page.text).not.toContain(person.user.email);
    expect(page.headers.get('content-security-policy')).toMatch(/form-action 'self'.*frame-ancestors 'none'/);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const row = await stage.tenant.db.serviceConnectAttempt.findFirstOrThrow({ where: { userId: person.user.id } });
    expect([row.stateHash, row.usedAt, stage.oauth.requests.length]).toEqual([null, null, before]);
    const { browser: own, page: ready } = await stage.openAs(url, person);
    expect(departureOf(await own.press(ready, 'Connect'))).toContain(`${stage.oauth.origin}/auth?`);
  });

  test('says whether tools may see the token', async () => {
    const person = await stage.newPerson();
    const open = await stage.newService({}, { raw_credential: true });
    const pages = [await stage.linkUrl(service, person), await stage.linkUrl(open, person)];
    const texts = await Promise.all(pages.map(async (url) => (await createHttpBrowser().get(url)).text));
    expect(texts[0]).toContain('neither the assistant nor the tools are shown it');
    expect(texts[1]).toContain('the tools may be handed it, the assistant is not');
  });

  test('an unknown one, an expired one and one of another tenant are gone', async () => {
    const person = await stage.newPerson();
    const url = await stage.linkUrl(service, person);
    const elsewhere = await stage.server.createTenant();
    const browser = createHttpBrowser();
    expect(isGone(await browser.get(url.replace(stage.tenant.id, elsewhere.id)))).toBe(true);
    expect(isGone(await browser.get(`${stage.tenant.issuer}/connect/${'x'.repeat(43)}`))).toBe(true);
    const where = { userId: person.user.id };
    await stage.tenant.db.serviceConnectAttempt.updateMany({ where, data: { expiresAt: new Date() } });
    expect(isGone(await browser.get(url))).toBe(true);
  });
});

describe('the button', () => {
  test('asks for PKCE, state and the scope, and answers with a page that goes on', async () => {
    const { departure } = await leave(await stage.newPerson());
    const { searchParams } = new URL(departure);
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: service.clientId,
      redirect_uri: service.callbackUrl,
      scope: 'repo',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });

  test('does nothing for a form that was not sent from here', async () => {
    const person = await stage.newPerson();
    const url = await stage.linkUrl(service, person);
    const { browser, page } = await stage.openAs(url, person);
    const csrf = hiddenOf(page, 'csrf') ?? '';
    const other = createHttpBrowser();
    const foreign = hiddenOf(await other.get(url), 'csrf') ?? '';
    const tries: [Record<string, string>, Record<string, string>][] = [
      [{}, {}],
      [{ csrf: 'x' }, {}],
      [{ csrf: foreign }, {}],
      [{ csrf }, { origin: 'https://evil.test' }],
      [{ csrf }, { 'sec-fetch-site': 'cross-site' }],
    ];
    for (const [fields, headers] of tries) {
      expect((await browser.send(url, { action: 'connect', ...fields }, headers)).status).toBe(403);
    }
    const row = await stage.tenant.db.serviceConnectAttempt.findFirstOrThrow({ where: { userId: person.user.id } });
    expect(row.stateHash).toBeNull();
  });

  test('works once: pressed again, with the back button or twice at the same moment, it is gone', async () => {
    const person = await stage.newPerson();
    const { browser, page } = await stage.openAs(await stage.linkUrl(service, person), person);
    const fields = { csrf: hiddenOf(page, 'csrf') ?? '', action: 'connect' };
    const { sessions } = stage.server.container;
    const { judge } = sessions;
    const [allCame, tries] = [deferred(), [1, 2, 3, 4]];
    let came = 0;
    Object.assign(sessions, {
      judge: async (...given: Parameters<typeof judge>) => {
        if (++came === tries.length) allCame.resolve();
        await allCame.promise;
        return judge(...given);
      },
    });
    const pages = await Promise.all(tries.map(() => browser.send(page.url, fields)));
    Object.assign(sessions, { judge });
    expect(pages.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 410, 410, 410]);
    expect(isGone(await browser.get(page.url))).toBe(true);
  });

  test('gives nothing to who lost the right since', async () => {
    const person = await stage.newPerson();
    const { browser, page } = await stage.openAs(await stage.linkUrl(service, person), person);
    await stage.tenant.db.userRole.deleteMany({ where: { userId: person.user.id } });
    const answer = await browser.press(page, 'Connect');
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('You may not use this service')]);
  });

  test('gives nothing after the login that asked has ended', async () => {
    const person = await stage.newPerson();
    const { browser, page } = await stage.openAs(await stage.linkUrl(service, person), person);
    const { db, id: tenantId } = stage.tenant;
    await stage.server.container.sessions.endSession({ tenantId, db, sid: person.sid, reason: 'revoked' });
    expect(isGone(await browser.press(page, 'Connect'))).toBe(true);
  });
});

describe('a link that travels to another person', () => {
  test('shows them that it is not theirs, and connects nothing whatever they send', async () => {
    const [ada, bob] = [await stage.newPerson(), await stage.newPerson()];
    const url = await stage.linkUrl(service, ada);
    const { browser, page } = await stage.openAs(url, bob);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('made for somebody else')]);
    expect(page.text).not.toContain(ada.user.email);
    expect(page.text).not.toContain('>Connect<');
    const forced = await browser.send(url, { csrf: hiddenOf(page, 'csrf') ?? '', action: 'connect' });
    expect([forced.status, forced.text]).toEqual([403, expect.stringContaining('This link is not yours')]);
    const { page: own, browser: adas } = await stage.openAs(url, ada);
    expect(departureOf(await adas.press(own, 'Connect'))).toContain('/auth?');
    expect([await hasConnected(ada), await hasConnected(bob)]).toEqual([false, false]);
  });

  test('its owner can sign in at that browser, and then it is theirs', async () => {
    const [ada, bob] = [await stage.newPerson(), await stage.newPerson()];
    const url = await stage.linkUrl(service, ada);
    const { browser, page } = await stage.openAs(url, bob);
    const asked = await browser.press(page, 'Sign in as somebody else');
    const ready = await browser.press(asked, 'Sign in', { email: ada.user.email, password });
    expect([ready.status, ready.text]).toEqual([200, expect.stringContaining('>Connect<')]);
  });

  test('the way to the service, forwarded: their account is not connected to who sent it', async () => {
    const [ada, bob] = [await stage.newPerson(), await stage.newPerson()];
    const { departure } = await leave(ada);
    const { browser: bobs } = await stage.openAs(await stage.linkUrl(service, bob), bob);
    stage.oauth.person = 'account-of-bob';
    expect(isGone(await bobs.get(await stage.oauth.visit(departure)))).toBe(true);
    expect([await hasConnected(ada), await hasConnected(bob)]).toEqual([false, false]);
  });

  test('the way back, forwarded: the account of who sent it is not connected to them', async () => {
    const [mallory, bob] = [await stage.newPerson(), await stage.newPerson()];
    const { departure } = await leave(mallory);
    const { browser: bobs, departure: begun } = await leave(bob);
    stage.oauth.person = 'account-of-mallory';
    const back = new URL(await stage.oauth.visit(departure));
    expect(isGone(await bobs.get(back.href))).toBe(true);
    // With the state of what they began themselves: the verifier is another one.
    back.searchParams.set('state', new URL(begun).searchParams.get('state') ?? '');
    expect((await bobs.get(back.href)).status).toBe(502);
    expect([await hasConnected(mallory), await hasConnected(bob)]).toEqual([false, false]);
  });

  test('at one browser, after somebody else signed in there: nothing is connected to either', async () => {
    const [ada, bob] = [await stage.newPerson(), await stage.newPerson()];
    const { browser, departure } = await leave(ada);
    const page = await browser.get(await stage.linkUrl(service, bob));
    const asked = await browser.press(page, 'Sign in as somebody else');
    await browser.press(asked, 'Sign in', { email: bob.user.email, password });
    const answer = await browser.get(await stage.oauth.visit(departure));
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('This link is not yours')]);
    expect([await hasConnected(ada), await hasConnected(bob)]).toEqual([false, false]);
  });
});

describe('who is signed in', () => {
  test('is asked anew after a logout anywhere', async () => {
    const person = await stage.newPerson();
    const { browser, page } = await stage.openAs(await stage.linkUrl(service, person), person);
    expect(page.text).toContain('>Connect<');
    const { db, id: tenantId } = stage.tenant;
    const { user } = person;
    const { sid } = await createTestLogin(stage.tenant, stage.application, user, { bound: true });
    await stage.server.container.sessions.endSession({ tenantId, db, sid, reason: 'logged_out' });
    expect((await browser.get(page.url)).text).toContain('First sign in');
    expect((await browser.press(page, 'Connect')).status).toBe(403);
  });

  test('is nobody once the account is disabled', async () => {
    const person = await stage.newPerson();
    const { browser, page } = await stage.openAs(await stage.linkUrl(service, person), person);
    await stage.tenant.db.user.update({ where: { id: person.user.id }, data: { status: 'disabled' } });
    expect((await browser.get(page.url)).text).toContain('First sign in');
  });

  test('cannot be brought by the address alone where the sign-in page sends to', async () => {
    const person = await stage.newPerson();
    const url = await stage.linkUrl(service, person);
    const browser = createHttpBrowser();
    const form = await browser.press(await browser.get(url), 'Sign in');
    const signedIn = form.url.replace('/interaction/', '/connect/signed-in/');
    expect(isGone(await createHttpBrowser().get(signedIn))).toBe(true);
    const early = await browser.get(signedIn);
    expect(early.text).toContain('First sign in');
    expect((await browser.press(form, 'Sign in', { email: person.user.email, password })).status).toBe(410);
  });

  test('may refuse to sign in, and is back at the link', async () => {
    const browser = createHttpBrowser();
    const url = await stage.linkUrl(service, await stage.newPerson());
    const form = await browser.press(await browser.get(url), 'Sign in');
    const back = await browser.send(form.url, { csrf: hiddenOf(form, 'csrf') ?? '', action: 'refuse' });
    expect((await browser.get(departureOf(back))).text).toContain('First sign in');
  });
});
