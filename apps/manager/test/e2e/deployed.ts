import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { connectPerson, type McpPerson } from './mcp-person.js';
import { findChromium, launchBrowser, signIn } from './sign-in.js';

const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name}: which deployment? See packages/config/jest/deployed.js`);
  return value;
};
const mcpUrl = setting('AUTHSEC_E2E_MCP_URL');
const person = { email: setting('AUTHSEC_E2E_EMAIL'), password: setting('AUTHSEC_E2E_PASSWORD') };

let browser: Browser;
let client: McpPerson;
beforeAll(async () => {
  const chromium = findChromium();
  if (!chromium) throw new Error('the pages need Chromium');
  // The browser is not asked to know a deployment's own authority: the MCP client verifies it.
  browser = await launchBrowser(chromium, ['--ignore-certificate-errors']);
  client = await connectPerson(mcpUrl);
});
afterAll(async () => {
  await client?.close();
  await browser?.close();
});

describe('what is deployed', () => {
  test('shows a stranger the login and what is public', async () => {
    const names = await client.toolNames();
    expect(names).toEqual(expect.arrayContaining(['oauth_start', 'ping']));
    expect(names).not.toContain('hello');
    expect((await client.call('hello')).isError).toBe(true);
  });

  test('lets a person in, and their tools appear and know them', async () => {
    const started = (await client.call('oauth_start')).structuredContent as Record<string, string>;
    const code = await signIn({ browser, authorizationUrl: started['authorization_url'] ?? '', ...person });
    const seen = client.listChanges();
    const answer = await client.call('oauth_authenticate', { session_id: started['session_id'], code });
    expect(answer.isError).toBeFalsy();
    await client.listChangedSince(seen);
    expect(await client.toolNames()).toContain('hello');
    expect((await client.call('hello')).structuredContent).toMatchObject({ email: person.email });
  });

  test('takes them back with the logout', async () => {
    await client.call('oauth_logout');
    expect(await client.toolNames()).not.toContain('hello');
    expect((await client.call('hello')).isError).toBe(true);
  });
});
