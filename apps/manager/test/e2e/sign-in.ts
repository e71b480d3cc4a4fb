import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Undefined where there is none: the suites that need one are skipped, unless AUTHSEC_REQUIRE_BROWSER=1. */
export function findChromium(): string | undefined {
  const path = candidates.find((candidate) => candidate && existsSync(candidate));
  if (path) return path;
  const message = 'the browser suite needs Chromium: install it (apt-get install chromium) or set CHROMIUM_PATH';
  if (process.env['AUTHSEC_REQUIRE_BROWSER'] === '1') throw new Error(message);
  process.stderr.write(`Skipped: ${message}\n`);
  return undefined;
}

export function launchBrowser(executablePath: string, more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}

export interface SignInOptions {
  readonly browser: Browser;
  readonly authorizationUrl: string;
  readonly email: string;
  readonly password: string;
  /** The identity provider where the password is typed; undefined: on the sign-in page itself. */
  readonly signInWith?: string;
  readonly javaScript?: boolean;
}

/** Goes through the pages as a person would, in a browser profile of their own: the code that the last page shows. */
export function signIn(options: SignInOptions): Promise<string> {
  return throughPages(options, async (page) => (await page.locator('#code').textContent())?.trim() ?? '');
}

/** The same where the browser comes back to a program on this machine: the heading of the page that it answers with. */
export function signInOnLoopback(options: SignInOptions): Promise<string> {
  return throughPages(options, async (page) => {
    await page.waitForURL((url) => url.hostname === '127.0.0.1' && url.pathname === '/callback');
    return (await page.getByRole('heading').textContent())?.trim() ?? '';
  });
}

/** The token behind the click that reveals it, on the same last page. */
export function signInForToken(options: SignInOptions): Promise<string> {
  return throughPages(options, async (page) => {
    if (await page.locator('#jwt-token').isVisible()) throw new Error('the token shows itself');
    await page.locator('#jwt > summary').click();
    await page.locator('#jwt-token').waitFor({ state: 'visible' });
    return (await page.locator('#jwt').textContent())?.trim() ?? '';
  });
}

async function throughPages<T>(options: SignInOptions, end: (page: Page) => Promise<T>): Promise<T> {
  const { browser, authorizationUrl, email, password, signInWith, javaScript = true } = options;
  const context = await browser.newContext({ javaScriptEnabled: javaScript });
  try {
    const page = await context.newPage();
    await page.goto(authorizationUrl);
    await page.getByRole('button', { name: 'Continue to sign-in' }).click();
    if (signInWith) await page.getByRole('button', { name: `Sign in with ${signInWith}` }).click();
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    return await end(page);
  } finally {
    await context.close();
  }
}
