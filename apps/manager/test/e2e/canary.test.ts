import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { type Collector, startCollector } from '../integrations/telemetry/collector.js';
import { describeOpenBao } from '../integrations/vault-under-test.js';
import { canaryServices } from './canary-services.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { readDevSecrets } from './dev-secrets.js';
import { type EchoService, startEchoService } from './echo-service.js';
import { type Canary, dumpDatabases, findCanaries, readFolder } from './find-canaries.js';
import { connectSignedIn } from './log-in.js';
import { errorOf, type McpPerson, type ToolAnswer } from './mcp-person.js';
import { type ProbeProcess, startProbe } from './probe-process.js';
import { findChromium, launchBrowser } from './sign-in.js';
import { connectAdmin, type TenantAdmin } from './tenant-admin.js';

const chromium = findChromium();
const stores = [
  { store: 'the sealed store', args: [], suite: describe },
  { store: 'Vault', args: ['--vault'], suite: describeOpenBao },
];

for (const { store, args, suite } of stores) {
  (chromium ? suite : describe.skip)(`with ${store}, no secret of a service is told`, () => {
    let stack: DevProcess;
    let dev: DevFile;
    let browser: Browser;
    let echo: EchoService;
    /** Of traces and metrics. */
    let collector: Collector;
    let probe: ProbeProcess;
    let admin: TenantAdmin;
    let canaries: Canary[];
    let services: ReturnType<typeof canaryServices>;
    const open: McpPerson[] = [];
    /** Whatever came back from anywhere. */
    const answers: unknown[] = [];

    beforeAll(async () => {
      collector = await startCollector();
      const env = {
        AUTHSEC_LOG_LEVEL: 'trace',
        AUTHSEC_DEBUG: '1',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '500',
        OTEL_METRIC_EXPORT_INTERVAL: '1000',
      };
      stack = startDevProcess({ directory: await makeStateDirectory(), args, env });
      [dev, browser] = await Promise.all([stack.ready(), launchBrowser(chromium ?? '')]);
      const tenant = dev.tenants[0]!;
      const accessToken = 'access.canary-9a+Zq/~==';
      services = canaryServices('first');
      echo = await startEchoService({
        accessToken,
        only: services.find(({ name }) => name === 'bearer')!.secret.token!,
      });
      const { credentials } = await readDevSecrets(stack.directory);
      canaries = [
        { name: 'access token', value: accessToken },
        ...['first', 'second'].flatMap((generation) =>
          canaryServices(generation).flatMap(({ name, canaries: values }) =>
            values.map((value) => ({ name: `${name}, ${generation}`, value })),
          ),
        ),
        ...dev.tenants.flatMap(({ tenant_id: id }) => [
          { name: `github of ${id}`, value: credentials.gitHubToken(id) },
          { name: `reports of ${id}`, value: credentials.reportsPassword(id) },
        ]),
      ];
      [probe, admin] = await Promise.all([startProbe(tenant), connectAdmin(dev.manager.url, tenant)]);
    }, 120_000);
    afterAll(async () => {
      await Promise.all(open.map((client) => client.close().catch(() => {})));
      await Promise.all([probe?.close(), echo?.close(), browser?.close()]);
      await stack?.interrupt();
      await collector?.close();
      if (stack) await removeStateDirectory(stack.directory);
    }, 60_000);

    async function connect(email: string, mcp: string): Promise<McpPerson> {
      const person = dev.tenants.flatMap(({ people }) => people).find((one) => one.email === email)!;
      const client = await connectSignedIn(browser, mcp, person);
      open.push(client);
      return client;
    }
    /** The status, and what was said, of a request that may well be refused. */
    async function api(method: string, path: string, body?: object): Promise<unknown> {
      const answer = await admin.request(method, path, body).catch((error: unknown) => String(error));
      answers.push(answer);
      return answer;
    }
    async function call(client: McpPerson, tool: string, input: Record<string, unknown> = {}): Promise<ToolAnswer> {
      const answer: ToolAnswer = await client
        .call(tool, input)
        .catch((error: unknown) => ({ isError: true, content: [{ type: 'text', text: String(error) }] }));
      answers.push(answer);
      return answer;
    }

    test('while services of every kind are made, used, misused, rotated and removed', async () => {
      const client = await connect('ada@acme-corp.example', probe.mcp);
      for (const { kind, name, secret, settings, raw } of services) {
        const made = await api('POST', 'services', {
          name,
          // What has a certificate is reached by TLS, which the echo does not speak: its credential is fetched all the same.
          base_url: kind === 'mtls' ? echo.url.replace('http:', 'https:') : echo.url,
          settings: settings(echo.url),
          secret,
          requirement: { roles: ['admin'] },
          applications: [dev.tenants[0]!.application.client_id],
          raw_credential: raw,
          allow_private_addresses: true,
          health_path: '/echo',
        });
        expect(made).toMatchObject({ name, kind });
        const { id } = made as { id: string };
        for (const path of ['/echo', '/slow', '/echo?status=401', '/echo?status=500', '/away', 'http://localhost:1/']) {
          await call(client, 'fetch_service', { service: name, path });
        }
        await call(client, 'fetch_service', { service: name, path: '/echo', method: 'POST', body: 'x' });
        for (const tool of ['fail_with_answer', 'print_credential', 'tell_credential'])
          await call(client, tool, { service: name });
        await api('POST', `services/${id}/test`);
        await api('PATCH', `services/${id}`, { base_url: 'http://localhost:1' });
        await api('PATCH', `services/${id}`, { secret: { ...secret, more: Object.values(secret)[0] } });
        await api('POST', `services/${id}/rotate`, {
          secret: Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, `${value}\n`])),
        });
        const second = canaryServices('second').find((one) => one.name === name)!.secret;
        await api('POST', `services/${id}/rotate`, { secret: second, overlap_seconds: 600 });
        await call(client, 'fetch_service', { service: name, path: '/echo' });
        const previous = await call(client, 'fetch_service', { service: name, path: '/only' });
        if (kind === 'bearer') expect(previous.structuredContent).toMatchObject({ status: 200 });
        await api('GET', `services/${id}`);
        if (name !== 'bearer') await api('DELETE', `services/${id}`);
      }
      await api('GET', 'services');
      await api('GET', 'audit-events?limit=200');
    }, 240_000);

    test('while the demo is used by who may and who may not', async () => {
      const [acme, globex] = dev.tenants;
      const ada = await connect('ada@acme-corp.example', acme!.mcp);
      const dora = await connect('dora@globex.example', globex!.mcp);
      expect((await call(ada, 'list_repositories')).isError).toBeFalsy();
      expect(errorOf(await call(dora, 'list_repositories'))).toBe('service_denied');
      await call(ada, 'run_report');
      await call(ada, 'run_report');
    }, 90_000);

    test('each secret was used: the services were asked with it', () => {
      const asked = findCanaries(canaries, [{ name: 'asked', bytes: Buffer.from(echo.received()) }]);
      const used = new Set(asked.map(({ canary }) => canary));
      const expected = canaries.map(({ name }) => name).filter((name) => /^(access|api_key|basic|bearer)/.test(name));
      expect(expected.filter((name) => !used.has(name))).toEqual([]);
    });

    test('in no log, no answer, no error, no trace, no metric and no table, in whatever encoding', async () => {
      const { serverUrl } = await readDevSecrets(stack.directory);
      await collector.has('/v1/traces', 'POST /v1/service-credentials');
      const output = [stack.output(), probe.output()].map((text) => Buffer.from(text));
      expect(probe.output()).toContain('[redacted]');
      const haystacks = [
        ...(await readFolder(stack.directory, ['postgres', 'vault'])),
        ...output.map((bytes) => ({ name: 'terminal', bytes })),
        ...answers.map((answer, index) => ({
          name: `answer ${index}`,
          bytes: Buffer.from(JSON.stringify(answer) ?? ''),
        })),
        ...collector.received.map(({ path, body }) => ({ name: path, bytes: Buffer.from(body, 'latin1') })),
        ...(await dumpDatabases(serverUrl)),
      ];
      const logs = haystacks.filter(({ name }) => name.endsWith('.log'));
      expect(logs.length).toBeGreaterThanOrEqual(4);
      expect(answers.length).toBeGreaterThan(60);
      expect(findCanaries(canaries, haystacks)).toEqual([]);
    }, 120_000);

    test('which a single one would be found by', async () => {
      const [{ value, name } = { value: '', name: '' }] = canaries;
      await appendFile(join(stack.directory, 'logs', 'manager.log'), Buffer.from(`x ${value}`).toString('base64'));
      const found = findCanaries(canaries, await readFolder(stack.directory, ['postgres', 'vault']));
      expect(found.map(({ canary }) => canary)).toEqual([name]);
    });
  });
}
