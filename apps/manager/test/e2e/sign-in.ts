import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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
  console.warn(`Skipped: ${message}`);
  return undefined;
}

export function launchBrowser(executablePath: string): Promise<Browser> {
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
export async function signIn(options: SignInOptions): Promise<string> {
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
    const code = await page.locator('#code').textContent();
    return code?.trim() ?? '';
  } finally {
    await context.close();
  }
}
