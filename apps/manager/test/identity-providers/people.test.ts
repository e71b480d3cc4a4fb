import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { textOf } from '../authorization-server/http-browser.js';
import { givePassword, password, redeem, type TestClient } from '../authorization-server/test-server.js';
import { createTestPerson, createTestRole } from '../support/test-data.js';
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
  visitProvider,
} from './provider-flow.js';

describe('who a provider’s person is here', () => {
  let manager: ProviderTest;
  let provider: EvilProvider;
  let tenant: TestTenant;
  let client: TestClient;
  let issuer: EvilIssuer;
  let login: OpenLogin;

  beforeAll(async () => {
    [manager, provider] = await Promise.all([startProviderTest(), startEvilProvider()]);
  }, 60_000);
  afterAll(async () => {
    await manager?.server.close();
    await provider?.close();
  });
  beforeEach(async () => {
    ({ tenant, client } = await manager.newTenant());
    issuer = provider.issuer(crypto.randomUUID());
    manager.log.length = 0;
  }, 30_000);

  const addGood = (settings: Parameters<typeof addProvider>[3]['settings'] = {}) =>
    addProvider(manager, tenant, issuer, { name: 'Good', settings });
  const throughGood = async () => {
    login = await openLogin(tenant, client);
    return signInThrough(login, 'Good');
  };
  const isRefused = (page: { status: number; text: string }) =>
    page.status === 403 && page.text.includes('This account cannot be used here');

  test('a person who was there keeps their account through a change of address at the provider', async () => {
    await addGood();
    issuer.behaviour = { person: { sub: 's1', email: 'before@example.test' } };
    expect(asksForApproval(await throughGood())).toBe(true);
    issuer.behaviour = { person: { sub: 's1', email: 'after@example.test', email_verified: false } };
    expect(asksForApproval(await throughGood())).toBe(true);
    expect(await tenant.db.user.findMany({ select: { email: true, emailVerified: true } })).toEqual([
      { email: 'before@example.test', emailVerified: true },
    ]);
  });

  test('an address that was given to somebody else at the provider does not give them the account', async () => {
    await addGood();
    issuer.behaviour = { person: { sub: 'first', email: 'shared@example.test' } };
    await throughGood();
    issuer.behaviour = { person: { sub: 'second', email: 'shared@example.test' } };
    expect(isRefused(await throughGood())).toBe(true);
    expect(manager.log.at(-1)).toMatchObject({ check: 'person.email_taken' });
  });

  test('a disabled person does not come in', async () => {
    await addGood();
    issuer.behaviour = { person: { sub: 's1', email: 'gone@example.test' } };
    await throughGood();
    await tenant.db.user.updateMany({ data: { status: 'disabled' } });
    expect(isRefused(await throughGood())).toBe(true);
  });

  test('the page is letter by letter the same for an address that is somebody’s and for one that is nobody’s', async () => {
    await createTestPerson(tenant);
    const [victim] = await tenant.db.user.findMany();
    await addGood({ new_people: 'refuse' });
    const pages: string[] = [];
    for (const [sub, email, verified] of [
      ['a', victim!.email, true],
      ['b', 'nobody@example.test', true],
      ['c', victim!.email, false],
      ['d', 'nobody@example.test', false],
    ] as const) {
      issuer.behaviour = { person: { sub, email, email_verified: verified } };
      const page = await throughGood();
      expect(isRefused(page)).toBe(true);
      pages.push(page.text.replace(/\/interaction\/[\w-]+/g, '/interaction/*'));
    }
    expect(new Set(pages).size).toBe(1);
    expect(await tenant.db.externalIdentity.count()).toBe(0);
  });

  test('where people are made, an address that is not verified tells nothing either', async () => {
    await createTestPerson(tenant);
    const [victim] = await tenant.db.user.findMany();
    await addGood({ new_people: 'create' });
    const pages: string[] = [];
    for (const [sub, email] of [
      ['a', victim!.email],
      ['b', 'nobody@example.test'],
    ] as const) {
      issuer.behaviour = { person: { sub, email, email_verified: false } };
      pages.push((await throughGood()).text.replace(/\/interaction\/[\w-]+/g, '/interaction/*'));
    }
    expect(pages[0]).toBe(pages[1]);
    expect(await tenant.db.user.count()).toBe(1);
  });

  test('a new person gets what the rules make of the claims, what the tenant has of it, and nothing beside', async () => {
    await createTestRole(tenant, 'analyst', ['reports:read']);
    await createTestRole(tenant, 'admin', ['reports:*']);
    await tenant.db.group.create({ data: { name: 'staff' } });
    await tenant.db.resource.create({ data: { name: 'analytics' } });
    const rule = (claim: string, value: string, kind: 'roles' | 'groups' | 'scopes' | 'resources', name: string) => ({
      claim,
      value,
      gives: { kind, name },
    });
    await addGood({
      new_people: 'create_with_rights',
      rights: [
        rule('groups', 'analysts', 'roles', 'analyst'),
        rule('groups', 'analysts', 'resources', 'analytics'),
        rule('department', 'sales', 'groups', 'staff'),
        rule('groups', 'admins', 'roles', 'admin'),
        rule('groups', 'analysts', 'roles', 'a role that is not there'),
        rule('constructor', 'x', 'roles', 'admin'),
        rule('__proto__', 'x', 'roles', 'admin'),
      ],
    });
    issuer.behaviour = {
      person: {
        sub: 's',
        email: 'new@example.test',
        groups: ['analysts', 'Admins', 'admins '],
        department: 'sales',
        role: 'admin',
      },
    };
    const done = await login_(await throughGood());
    expect(done).toMatchObject({
      email: 'new@example.test',
      roles: ['analyst'],
      groups: ['staff'],
      resources: ['analytics'],
    });
    const created = await tenant.db.auditEvent.findFirstOrThrow({ where: { action: 'user.create' } });
    expect(created.details).toMatchObject({
      email: 'new@example.test',
      issuer: issuer.url,
      subject: 's',
      roles: ['analyst', 'a role that is not there'],
    });
  });

  async function login_(approval: { text: string; status: number; url: string; headers: Headers }) {
    expect(asksForApproval(approval)).toBe(true);
    const page = await login.browser.press(approval, 'Approve');
    const answer = await redeem(tenant.issuer, client, {
      code: textOf(page, 'code') ?? '',
      verifier: login.pkce.verifier,
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
  }

  test('two tabs that come for the first time at once make one person', async () => {
    await addGood();
    issuer.behaviour = { person: { sub: 's', email: 'twice@example.test' } };
    const logins = await Promise.all([openLogin(tenant, client), openLogin(tenant, client), openLogin(tenant, client)]);
    const pages = await Promise.all(logins.map((one) => signInThrough(one, 'Good')));
    expect(pages.map(asksForApproval)).toEqual([true, true, true]);
    expect(await tenant.db.user.count()).toBe(1);
  });

  describe('a second way in', () => {
    let email: string;
    let userId: string;

    beforeEach(async () => {
      ({ email, id: userId } = await createTestPerson(tenant));
      await givePassword(tenant, userId);
      await addGood({ new_people: 'refuse' });
      login = await openLogin(tenant, client);
    });
    const signInHere = () => login.browser.press(login.page, 'Sign in', { email, password });

    test('is added by the signed-in person, and signs in from then on', async () => {
      const left = await leaveFor({ ...login, page: await signInHere() }, 'Add Good');
      const page = await login.browser.get(await visitProvider('url' in left ? left.url : ''));
      expect(asksForApproval(page)).toBe(true);
      expect(page.text).not.toContain('Add Good');
      expect(
        await tenant.db.externalIdentity.findMany({ select: { userId: true, issuer: true, subject: true } }),
      ).toEqual([{ userId, issuer: issuer.url, subject: 'person-1' }]);
      expect(await tenant.db.auditEvent.count({ where: { action: 'identity.link', actorId: userId } })).toBe(1);
      expect(await login_(await throughGood())).toMatchObject({ sub: userId, email });
      expect((await tenant.db.user.findUniqueOrThrow({ where: { id: userId } })).email).toBe(email);
    });

    test('is not added by somebody who is not signed in', async () => {
      const { id } = await tenant.db.identityProvider.findFirstOrThrow();
      const csrf = /name="csrf" value="([^"]+)"/.exec(login.page.text)![1]!;
      await login.browser.send(login.page.url, { action: `link:${id}`, csrf }, { 'sec-fetch-site': 'same-origin' });
      expect(await tenant.db.signInAttempt.count()).toBe(0);
    });

    test('is not added where the person went away, or became another, meanwhile', async () => {
      const approval = await signInHere();
      const left = await leaveFor({ ...login, page: approval }, 'Add Good');
      const back = await visitProvider('url' in left ? left.url : '');
      const page = await login.browser.press(approval, 'Not you?');
      expect(page.text).toContain('name="password"');
      expect((await login.browser.get(back)).text).toContain('This step is over');
      expect(await tenant.db.externalIdentity.count()).toBe(0);
    });

    test('is not added where somebody else signed in at this browser meanwhile, in another tab', async () => {
      const left = await leaveFor({ ...login, page: await signInHere() }, 'Add Good');
      const back = await visitProvider('url' in left ? left.url : '');
      const other = await createTestPerson(tenant);
      await givePassword(tenant, other.id);
      const tab = await openLogin(tenant, client, login.browser);
      const anew = await login.browser.press(tab.page, 'Not you?');
      expect(asksForApproval(await login.browser.press(anew, 'Sign in', { email: other.email, password }))).toBe(true);
      expect((await login.browser.get(back)).text).toContain('This step is over');
      expect(await tenant.db.externalIdentity.count()).toBe(0);
    });

    test('is not taken from somebody else whose it is', async () => {
      const other = await createTestPerson(tenant);
      await tenant.db.externalIdentity.create({ data: { userId: other.id, issuer: issuer.url, subject: 'person-1' } });
      const left = await leaveFor({ ...login, page: await signInHere() }, 'Add Good');
      const page = await login.browser.get(await visitProvider('url' in left ? left.url : ''));
      expect(isRefused(page)).toBe(true);
      expect(manager.log.at(-1)).toMatchObject({ check: 'person.linked_to_another' });
      expect((await tenant.db.externalIdentity.findFirstOrThrow()).userId).toBe(other.id);
    });
  });

  describe('the settings of a tenant', () => {
    test('without passwords there is no password form, and one that is sent is not looked at', async () => {
      const person = await createTestPerson(tenant);
      await givePassword(tenant, person.id);
      await addGood();
      login = await openLogin(tenant, client);
      await tenant.db.signInSettings.updateMany({ data: { passwordEnabled: false } });
      const page = await login.browser.press(login.page, 'Sign in', { email: person.email, password });
      expect(asksForApproval(page)).toBe(false);
      expect(page.text).not.toContain('name="password"');
      expect(page.text).toContain('Sign in with Good');
    });

    test('people of a home realm are sent to their provider with their address, whether they have an account or not', async () => {
      await addGood({ home_realm_domains: ['acme.test'] });
      const person = await createTestPerson(tenant);
      await givePassword(tenant, person.id);
      await tenant.db.user.update({ where: { id: person.id }, data: { email: 'there@acme.test' } });
      for (const email of ['there@acme.test', 'Nobody@ACME.test']) {
        for (const button of ['Sign in', 'Continue with your organisation']) {
          login = await openLogin(tenant, client);
          const page = await login.browser.press(login.page, button, { email, password });
          const asked = /content="0;url=([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
          expect(asked.split('?')[0]).toBe(`${issuer.url}/authorize`);
          expect(new URL(asked).searchParams.get('login_hint')).toBe(email);
        }
      }
      login = await openLogin(tenant, client);
      const page = await login.browser.press(login.page, 'Continue with your organisation', {
        email: 'a@elsewhere.test',
      });
      expect(page.status).toBe(422);
      expect(page.text).toContain('Choose another way');
    });
  });
});
