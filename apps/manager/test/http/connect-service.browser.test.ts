import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { password } from '../authorization-server/test-server.js';
import { findChromium, launchBrowser } from '../e2e/sign-in.js';
import { type AccountService, type AccountsStage, startAccountsStage } from '../support/connected-accounts.js';

const chromiumPath = findChromium();
const describeInBrowser = chromiumPath ? describe : describe.skip;
const shots = process.env['AUTHSEC_SCREENSHOTS'];

describeInBrowser('connecting an account in a real browser', () => {
  let stage: AccountsStage;
  let service: AccountService;
  let browser: Browser;

  beforeAll(async () => {
    [stage, browser] = await Promise.all([startAccountsStage(), launchBrowser(chromiumPath!)]);
    service = await stage.newService({}, { description: 'Repositories, issues and pull requests' });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  const shoot = async (page: Page, name: string) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  };
  const heading = (page: Page, name: string) => page.getByRole('heading', { name }).first().waitFor();
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

  test.each(['light', 'dark'] as const)(
    'from the link through sign-in and the service to the end, with %s pages and without JavaScript',
    async (colorScheme) => {
      const context = await browser.newContext({ javaScriptEnabled: false, colorScheme });
      const person = await stage.newPerson();
      const page = await context.newPage();
      await page.goto(await stage.linkUrl(service, person));
      await heading(page, 'Connect your account at');
      await shoot(page, `connect-${colorScheme}`);
      await press(page, 'Sign in');
      await page.getByLabel('E-mail address').fill(person.user.email);
      await page.getByLabel('Password').fill(password);
      await press(page, 'Sign in');
      await heading(page, 'Connect your account at');
      await shoot(page, `connect-signed-in-${colorScheme}`);
      await press(page, 'Connect');
      await heading(page, 'Your account is connected');
      await shoot(page, `connected-${colorScheme}`);
      expect((await stage.issue(service, person)).status).toBe(201);
      await page.reload();
      await heading(page, 'This link does not work any more');
      await page.goBack();
      await page.waitForLoadState();
      expect(await page.locator('h1').first().textContent()).toMatch(/Connect your account|One moment|does not work/);
      await context.close();
    },
    60_000,
  );

  test('somebody else at the link sees whose it is not', async () => {
    const context = await browser.newContext();
    const [ada, bob] = [await stage.newPerson(), await stage.newPerson()];
    const page = await context.newPage();
    await page.goto(await stage.linkUrl(service, ada));
    await press(page, 'Sign in');
    await page.getByLabel('E-mail address').fill(bob.user.email);
    await page.getByLabel('Password').fill(password);
    await press(page, 'Sign in');
    await page.getByText('was made for somebody else').waitFor();
    await shoot(page, 'connect-somebody-else');
    expect(await page.getByRole('button', { name: 'Connect', exact: true }).count()).toBe(0);
    await context.close();
  }, 60_000);
});
