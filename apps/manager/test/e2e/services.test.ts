import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { readDevSecrets } from './dev-secrets.js';
import { findCanaries } from './find-canaries.js';
import { connectSignedIn } from './log-in.js';
import { connectOverStdio, errorOf, type McpPerson } from './mcp-person.js';
import { naughtyNames } from './naughty-names.js';
import { type ProbeProcess, startProbe } from './probe-process.js';
import { findChromium, launchBrowser, signInOnLoopback } from './sign-in.js';
import { connectAdmin } from './tenant-admin.js';

type Tenant = DevFile['tenants'][number];

const chromium = findChromium();
const suite = chromium ? describe : describe.skip;
const repositories = {
  'acme-corp': ['acme-corp/website', 'acme-corp/billing', 'acme-corp/handbook'],
  globex: ['globex/reactor', 'globex/recipes'],
};

suite('a tool uses a service in the name of who calls it', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let browser: Browser;
  let probes: ProbeProcess[] = [];
  let tokens: { name: string; value: string }[];
  const open: McpPerson[] = [];

  beforeAll(async () => {
    stack = startDevProcess({ directory: await makeStateDirectory() });
    [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
    probes = await Promise.all(dev.tenants.map(startProbe));
    const { credentials } = await readDevSecrets(stack.directory);
    tokens = dev.tenants.map(({ tenant_id: name }) => ({ name, value: credentials.gitHubToken(name) }));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((client) => client.close().catch(() => {})));
    await Promise.all(probes.map((probe) => probe.close()));
    await browser?.close();
    await stack?.interrupt();
    if (stack) await removeStateDirectory(stack.directory);
  }, 60_000);

  const tenantOf = (id: string): Tenant => dev.tenants.find(({ tenant_id }) => tenant_id === id)!;
  const probeOf = (id: string): ProbeProcess => probes[dev.tenants.indexOf(tenantOf(id))]!;
  async function connect(id: string, email: string, mcp = tenantOf(id).mcp): Promise<McpPerson> {
    const person = tenantOf(id).people.find((one) => one.email.startsWith(`${email}@`))!;
    const client = await connectSignedIn(browser, mcp, person);
    open.push(client);
    return client;
  }
  const leaked = (...values: unknown[]) =>
    findCanaries(tokens, [{ name: 'answer', bytes: Buffer.from(JSON.stringify(values)) }]);

  test.each([
    ['acme-corp', 'ada'],
    ['acme-corp', 'dev'],
    ['globex', 'gus'],
  ] as const)(
    'at %s %s gets the repositories of that tenant, and never the token',
    async (id, email) => {
      const client = await connect(id, email);
      expect(await client.toolNames()).toContain('list_repositories');
      const answer = await client.call('list_repositories');
      const found = answer.structuredContent as { repositories: { full_name: string }[] };
      expect(found.repositories.map(({ full_name }) => full_name)).toEqual(repositories[id]);
      expect(leaked(answer)).toEqual([]);
    },
    60_000,
  );

  test('who may not see the tool cannot call it either', async () => {
    const client = await connect('acme-corp', 'nora');
    expect(await client.toolNames()).not.toContain('list_repositories');
    const hidden = await client.call('list_repositories');
    const unknown = await client.call('list_repositoriex');
    expect(JSON.stringify(hidden).replaceAll('list_repositories', '*')).toBe(
      JSON.stringify(unknown).replaceAll('list_repositoriex', '*'),
    );
  }, 60_000);

  test('who may see the tool and not use the service is told so, and nothing is asked of it', async () => {
    const client = await connect('globex', 'dora');
    expect(await client.toolNames()).toContain('list_repositories');
    const denied = await client.call('list_repositories');
    expect(errorOf(denied)).toBe('service_denied');
    expect(leaked(denied)).toEqual([]);
  }, 60_000);

  test('on a person’s own machine, as a public client, the tool has no secret of the tenant', async () => {
    const tenant = tenantOf('acme-corp');
    const home = await mkdtemp(join(tmpdir(), 'authsec-home-'));
    const client = await connectOverStdio(tenant.stdio, home);
    try {
      const { structuredContent } = await client.call('oauth_start');
      const { session_id, authorization_url: authorizationUrl = '' } = structuredContent as Record<string, string>;
      const waiting = client.call('oauth_authenticate', { session_id });
      await signInOnLoopback({ browser, authorizationUrl, ...tenant.people[0]! });
      expect((await waiting).structuredContent).toMatchObject({ status: 'authenticated' });
      const denied = await client.call('list_repositories');
      expect(errorOf(denied)).toBe('service_denied');
      expect(leaked(denied, client.stderr())).toEqual([]);
    } finally {
      await client.close();
      await rm(home, { recursive: true, force: true });
    }
  }, 60_000);

  test('without Vault the report says what it needs', async () => {
    const answer = await (await connect('acme-corp', 'ana')).call('run_report');
    expect(answer.isError).toBe(true);
    expect(answer.content[0]?.text).toContain('pnpm dev --vault');
  }, 60_000);

  test('a right that is taken away in the middle of a call gives no credential at the next fetch', async () => {
    const tenant = tenantOf('acme-corp');
    const admin = await connectAdmin(dev.manager.url, tenant);
    const client = await connect('acme-corp', 'dev', probeOf('acme-corp').mcp);
    const userId = await admin.userId('dev@acme-corp.example');
    const gate = await startGate();
    const ask = () => client.call('fetch_twice', { service: 'github', path: '/user', gate: gate.url });
    try {
      const allowed = ask();
      (await gate.next())();
      expect((await allowed).structuredContent).toEqual({ first: 200, second: 200 });

      const refused = ask();
      const release = await gate.next();
      await admin.unassign(userId, 'groups', 'engineering');
      release();
      expect(errorOf(await refused)).toBe('service_denied');
    } finally {
      await admin.assign(userId, 'groups', 'engineering');
      await gate.close();
    }
  }, 60_000);

  test('500 naughty names of services give no secret of another tenant, and no answer but that there is none', async () => {
    const client = await connect('acme-corp', 'ada', probeOf('acme-corp').mcp);
    const foreign = await connectAdmin(dev.manager.url, tenantOf('globex'));
    const { services } = (await foreign.request('GET', 'services')) as { services: { id: string }[] };
    const names = naughtyNames({ tenantId: 'globex', service: 'github', serviceId: services[0]!.id });
    expect(names.length).toBeGreaterThanOrEqual(500);
    const answers: unknown[] = [];
    for (const service of names) {
      const answer = await client.call('fetch_service', { service, path: '/user/repos' });
      answers.push(answer);
      expect({ service, error: errorOf(answer) }).toEqual({ service, error: 'service_unknown' });
    }
    // The same of the Manager itself, as one who speaks for the application and has no SDK in between.
    const ask = await connectApplication(tenantOf('acme-corp'));
    const admin = await connectAdmin(dev.manager.url, tenantOf('acme-corp'));
    const { sessions } = (await admin.request('GET', 'sessions?limit=200')) as { sessions: LiveSession[] };
    const { sid } = sessions.find(({ email, ended_at: end }) => email === 'ada@acme-corp.example' && end === null)!;
    expect((await ask(sid, 'github')).status).toBe(201);
    for (const service of names) {
      const { status, body } = await ask(sid, service);
      answers.push(body);
      expect({ service, status: [400, 404].includes(status) || status }).toEqual({ service, status: true });
    }
    expect(leaked(answers)).toEqual([]);
    expect(JSON.stringify(answers)).not.toContain('globex/');
    expect(leaked(probeOf('acme-corp').output())).toEqual([]);
    const own = await client.call('fetch_service', { service: 'github', path: '/user' });
    expect(own.structuredContent).toMatchObject({ status: 200, body: expect.stringContaining('acme-corp') });
  }, 180_000);
});

interface LiveSession {
  readonly sid: string;
  readonly email: string;
  readonly ended_at: string | null;
}

/** Asks the Manager for credentials with the application's own token. */
async function connectApplication({ issuer, application }: Tenant) {
  const basic = Buffer.from(`${application.client_id}:${application.client_secret}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return async (sid: string, service: string) => {
    const response = await fetch(new URL('/v1/service-credentials', issuer), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sid, service }),
    });
    return { status: response.status, body: await response.text() };
  };
}

/** A server whose answers wait until they are let go. */
async function startGate() {
  const waiting: (() => void)[] = [];
  let wake: () => void = () => {};
  const server: Server = createServer((_request, response) => {
    waiting.push(() => response.end());
    wake();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    /** Resolves with what lets the next request go. */
    async next(): Promise<() => void> {
      while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return waiting.shift()!;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
