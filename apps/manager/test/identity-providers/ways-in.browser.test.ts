import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { givePassword, password, pushLogin, type TestClient } from '../authorization-server/test-server.js';
import { findChromium, launchBrowser } from '../e2e/sign-in.js';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { type EvilIssuer, type EvilProvider, startEvilProvider } from './evil-provider.js';
import { addProvider, type ProviderTest, startProviderTest } from './provider-flow.js';

const chromiumPath = findChromium();
const describeInBrowser = chromiumPath ? describe : describe.skip;
const shots = process.env['AUTHSEC_SCREENSHOTS'];

describeInBrowser('identity providers in a real browser', () => {
  let manager: ProviderTest;
  let provider: EvilProvider;
  let issuer: EvilIssuer;
  let tenant: TestTenant;
  let client: TestClient;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    [manager, provider, browser] = await Promise.all([
      startProviderTest(),
      startEvilProvider(),
      launchBrowser(chromiumPath!),
    ]);
    ({ tenant, client } = await manager.newTenant());
    issuer = provider.issuer('good');
    await addProvider(manager, tenant, issuer, {
      name: 'Acme Single Sign-On',
      settings: { home_realm_domains: ['acme.test'] },
    });
    await addProvider(manager, tenant, provider.issuer('hub'), { name: 'DevHub', kind: 'oauth2' });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await manager?.server.close();
    await provider?.close();
  });

  const shoot = async (page: Page, name: string) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  };
  const heading = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor();
  async function openPage(own: BrowserContext = context): Promise<Page> {
    const page = await own.newPage();
    await page.goto((await pushLogin(tenant.issuer, client)).authorizationUrl);
    await page.getByRole('button', { name: 'Continue to sign-in' }).click();
    await heading(page, 'Sign in to');
    return page;
  }
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

  test('two tabs, the back button and a reload each end on a page that says what to do', async () => {
    context = await browser.newContext();
    const [one, two] = [await openPage(), await openPage()];
    await shoot(one, 'ways-in');
    await press(one, 'Sign in with Acme Single Sign-On');
    await heading(one, 'Approve this sign-in?');
    await press(two, 'Sign in with DevHub');
    await heading(two, 'This account cannot be used here');
    await shoot(two, 'not-admitted');
    await two.reload();
    await heading(two, 'This step is over');
    await shoot(two, 'step-over');
    await two.getByRole('link', { name: 'Go on with the sign-in' }).click();
    await heading(two, 'Sign in to');

    await press(one, 'Approve');
    await one.locator('#code').waitFor();
    await one.goBack();
    await one.waitForLoadState();
    expect(await one.locator('h1').textContent()).toMatch(
      /This sign-in is over|One moment|Approve|Sign in to|This step is over/,
    );
    await context.close();
  }, 60_000);

  test.each(['light', 'dark'] as const)(
    'somebody adds a provider to their account, with %s pages and without JavaScript',
    async (colorScheme) => {
      context = await browser.newContext({ javaScriptEnabled: false, colorScheme });
      const person = await createTestPerson(tenant);
      await givePassword(tenant, person.id);
      issuer.behaviour = { person: { sub: `of ${person.id}` } };
      const page = await openPage();
      await page.getByLabel('E-mail address').fill(person.email);
      await page.getByLabel('Password').fill(password);
      await press(page, 'Sign in');
      await heading(page, 'Approve this sign-in?');
      await page.getByText('Add another way to sign in').click();
      await shoot(page, `add-${colorScheme}`);
      await press(page, 'Add Acme Single Sign-On');
      await heading(page, 'Approve this sign-in?');
      expect(await tenant.db.externalIdentity.count({ where: { userId: person.id } })).toBe(1);
      await context.close();
    },
    60_000,
  );

  test('a provider that is away leaves the person on a page with the way back', async () => {
    context = await browser.newContext();
    issuer.behaviour = { token: { reset: true } };
    const page = await openPage();
    await press(page, 'Sign in with Acme Single Sign-On');
    await heading(page, 'This way to sign in did not work');
    await shoot(page, 'failed');
    await page.getByRole('link', { name: 'Back to sign-in' }).click();
    await heading(page, 'Sign in to');
    await context.close();
  }, 60_000);
});
