import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import {
  createClient,
  givePassword,
  password,
  pushLogin,
  redeem,
  startTestServer,
  type TestClient,
  type TestServer,
} from '../authorization-server/test-server.js';
import { findChromium, launchBrowser } from '../e2e/sign-in.js';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';

const chromiumPath = findChromium();
const describeInBrowser = chromiumPath ? describe : describe.skip;
const shots = process.env['AUTHSEC_SCREENSHOTS'];

describeInBrowser('signing in with a real browser', () => {
  let server: TestServer;
  let tenant: TestTenant;
  let client: TestClient;
  let browser: Browser;
  let email: string;

  beforeAll(async () => {
    server = await startTestServer();
    tenant = await server.createTenant();
    client = await createClient(tenant);
    const person = await createTestPerson(tenant, { scopes: ['read'] });
    email = person.email;
    await givePassword(tenant, person.id);
    browser = await launchBrowser(chromiumPath!);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const shoot = async (page: Page, name: string) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  };

  describe.each([
    { javaScriptEnabled: true, colorScheme: 'light' as const },
    { javaScriptEnabled: false, colorScheme: 'dark' as const },
  ])('with $colorScheme pages, JavaScript: $javaScriptEnabled', (options) => {
    test('the code on the last page is one that the client can redeem', async () => {
      const context = await browser.newContext({ ...options, permissions: [] });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
      page.on('pageerror', (error) => void problems.push(error.message));
      const push = await pushLogin(tenant.issuer, client, { client_address: '203.0.113.7' });
      const suffix = options.colorScheme;

      await page.goto(push.authorizationUrl);
      await shoot(page, `1-go-${suffix}`);
      await page.getByRole('button', { name: 'Continue to sign-in' }).click();
      await page.getByLabel('E-mail address').waitFor();
      await shoot(page, `2-password-${suffix}`);
      await page.keyboard.type(email);
      await page.keyboard.press('Tab');
      await page.keyboard.type('wrong');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('alert').textContent()).resolves.toBe('E-mail address or password is not right.');
      await shoot(page, `3-wrong-${suffix}`);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('button', { name: 'Approve' }).waitFor();
      await shoot(page, `4-approval-${suffix}`);
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.locator('#code').waitFor();
      await shoot(page, `5-code-${suffix}`);
      const code = (await page.locator('#code').textContent()) ?? '';
      expect(await page.getByRole('button', { name: 'Copy the code' }).isVisible()).toBe(options.javaScriptEnabled);
      expect(page.url()).not.toContain(code);
      const answer = await redeem(tenant.issuer, client, { code, verifier: push.pkce.verifier });
      expect(answer.status).toBe(200);

      await page.goBack();
      await shoot(page, `6-back-${suffix}`);
      // A wrong password (422) and a sign-in that is over (410) are told by their status too.
      expect(problems.filter((problem) => !/status of (422|410)/.test(problem))).toEqual([]);
      await context.close();
    });
  });

  test('a code that begins with a hyphen is read as one', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const style = await readFile(new URL('../../assets/authsec.css', import.meta.url), 'utf8');
    await page.setContent(`<style>${style}</style><main><code class="code" id="code">-${'a'.repeat(42)}</code></main>`);
    const [first = 0, second = 0] = await page.evaluate<number[]>(`(() => {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById('code'));
      return Array.from(range.getClientRects(), ({ width }) => width);
    })()`);
    expect(first).toBeGreaterThan(second);
    await page.close();
  });

  test('the copy button copies the code', async () => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    const { authorizationUrl } = await pushLogin(tenant.issuer, client);
    await page.goto(authorizationUrl);
    await page.getByRole('button', { name: 'Continue to sign-in' }).click();
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Copy the code' }).click();
    await page.getByText('Copied.').waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect(copied).toBe((await page.locator('#code').textContent())!);
    await context.close();
  });
});
