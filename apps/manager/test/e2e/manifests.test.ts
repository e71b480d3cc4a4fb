import { setTimeout as delay } from 'node:timers/promises';
import type { ManifestView, SessionSummary, SessionTools } from '@authsec/manager-client/contract';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { connectPerson } from './mcp-person.js';
import { findChromium, launchBrowser, signIn } from './sign-in.js';

const chromium = findChromium();
const suite = chromium ? describe : describe.skip;

suite('the Manager knows the tools of a server that runs', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let browser: Browser;

  beforeAll(async () => {
    stack = startDevProcess({ directory: await makeStateDirectory() });
    [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
  }, 60_000);

  type Tenant = DevFile['tenants'][number];

  async function ask<T>({ issuer, application }: Tenant, path: string): Promise<T> {
    const basic = Buffer.from(`${application.client_id}:${application.client_secret}`).toString('base64');
    const token = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: value } = (await token.json()) as { access_token: string };
    const answer = await fetch(`${dev.manager.url}${path}`, { headers: { authorization: `Bearer ${value}` } });
    return (await answer.json()) as T;
  }

  async function currentManifest(tenant: Tenant): Promise<ManifestView> {
    for (;;) {
      const { manifests } = await ask<{ manifests: ManifestView[] }>(tenant, '/v1/manifests');
      const current = manifests.find((manifest) => manifest.current);
      if (current) return ask<ManifestView>(tenant, `/v1/manifests/${current.digest}`);
      await delay(50);
    }
  }

  test('and answers for each person exactly what their client is shown', async () => {
    const tenant = dev.tenants[0]!;
    const everybody = tenant.people.filter((person) => person.password).slice(0, 3);
    for (const person of everybody) {
      const client = await connectPerson(tenant.mcp);
      const { digest, tools } = await currentManifest(tenant);
      expect(tools.filter((tool) => tool.public).map(({ name }) => name)).toEqual([...tenant.publicTools].sort());
      const { structuredContent: started } = await client.call('oauth_start');
      const authorizationUrl = String(started?.['authorization_url']);
      const code = await signIn({ browser, authorizationUrl, ...person });
      const answer = await client.call('oauth_authenticate', { session_id: started?.['session_id'], code });
      expect(answer.structuredContent).toMatchObject({ status: 'authenticated', accessible_tools: person.tools });
      const { sessions } = await ask<{ sessions: SessionSummary[] }>(tenant, '/v1/sessions');
      const { sid } = sessions.find(({ email, ended_at: end }) => email === person.email && end === null)!;
      const answered = await ask<SessionTools>(tenant, `/v1/sessions/${sid}/tools`);
      expect(answered.manifest).toEqual({ digest, source: 'session' });
      const allowed = answered.tools.filter((tool) => tool.allowed && !tool.public).map(({ name }) => name);
      expect(allowed).toEqual(person.tools);
      await client.close();
    }
  }, 120_000);
});
