import { expect, test } from '@jest/globals';
import { createTestPerson } from '../support/test-data.js';
import { createHttpBrowser, hiddenOf } from './http-browser.js';
import { createClient, givePassword, pushLogin, startTestServer, type TestServer } from './test-server.js';

async function withServer(run: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await startTestServer();
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

/** What a client can claim of where it comes from. */
function forgedHeaders(n: number): Record<string, string> {
  const names = ['X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'CF-Connecting-IP', 'True-Client-IP'];
  const address = `198.51.100.${n}`;
  return { ...Object.fromEntries(names.map((name) => [name, address])), Forwarded: `for=${address}` };
}

test('no header takes a client out of the limit of its network', () =>
  withServer(async (server) => {
    const { issuer } = await server.createTenant();
    const statuses: number[] = [];
    for (let n = 0; n < 123; n++) statuses.push((await fetch(`${issuer}/auth`, { headers: forgedHeaders(n) })).status);
    expect(statuses.slice(0, 120)).not.toContain(429);
    expect(statuses.slice(120)).toEqual([429, 429, 429]);
  }));

test('nor whoever guesses a password', () =>
  withServer(async (server) => {
    const tenant = await server.createTenant();
    const person = await createTestPerson(tenant);
    await givePassword(tenant, person.id);
    const browser = createHttpBrowser();
    const { authorizationUrl } = await pushLogin(tenant.issuer, await createClient(tenant));
    const form = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
    const fields = { csrf: hiddenOf(form, 'csrf')!, action: 'sign-in', email: person.email };
    const statuses: number[] = [];
    for (let n = 0; n < 22; n++) {
      const answer = await browser.send(form.url, { ...fields, password: `guess ${n}` }, forgedHeaders(n));
      statuses.push(answer.status);
    }
    expect(new Set(statuses.slice(0, 20))).toEqual(new Set([422]));
    expect(statuses.slice(20)).toEqual([429, 429]);
  }));
