import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DevFile } from '../../src/dev/dev-file.js';
import { createHttpBrowser, textOf } from '../authorization-server/http-browser.js';
import { startCollector, type Collector } from '../integrations/telemetry/collector.js';
import { type OtlpSpan, readSpans } from '../integrations/telemetry/read-otlp.js';
import { makeStateDirectory, removeStateDirectory, startDevProcess, type DevProcess } from './dev-process.js';
import { readDevSecrets } from './dev-secrets.js';
import { eventually } from './eventually.js';
import { connectPerson, type McpPerson } from './mcp-person.js';

const login = '4bf92f3577b34da6a3ce929d0e0e4736';
const using = '0af7651916cd43dd8448eb211c80319c';
const inTrace = (id: string) => ({ traceparent: `00-${id}-00f067aa0ba902b7-01` });

describe('the development stack with the standard variables of OpenTelemetry', () => {
  let stack: DevProcess;
  let dev: DevFile;
  let collector: Collector;
  let client: McpPerson;
  let code = '';
  let sessionId = '';

  beforeAll(async () => {
    collector = await startCollector();
    stack = startDevProcess({
      directory: await makeStateDirectory(),
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '200',
        OTEL_METRIC_EXPORT_INTERVAL: '2000',
      },
    });
    dev = await stack.ready();
    client = await connectPerson(dev.tenants[0]!.mcp);
    const { structuredContent } = await client.call('oauth_start');
    const { session_id: id, authorization_url: url } = structuredContent as Record<string, string>;
    const { email, password } = dev.tenants[0]!.people[0]!;
    const browser = createHttpBrowser();
    let page = await browser.press(await browser.get(url!), 'Continue to sign-in');
    page = await browser.press(page, 'Sign in', { email, password });
    page = await browser.press(page, 'Approve');
    [code, sessionId] = [textOf(page, 'code')!, id!];
    await client.call('oauth_authenticate', { session_id: sessionId, code }, inTrace(login));
    await client.call('list_repositories', {}, inTrace(using));
  }, 120_000);
  afterAll(async () => {
    await client?.close();
    await stack?.interrupt();
    await collector?.close();
    if (stack) await removeStateDirectory(stack.directory);
  }, 60_000);

  const spans = (): OtlpSpan[] =>
    collector.received
      .filter(({ path }) => path === '/v1/traces')
      .flatMap(({ body }) => readSpans(Buffer.from(body, 'latin1')));

  /** Who emitted a span and what it is called, and the same of those above it, from the outermost. */
  function pathsOf(traceId: string): string[] {
    const all = spans().filter((span) => span.traceId === traceId);
    const pathOf = ({ service, name, parentId }: OtlpSpan): string => {
      const parent = all.find(({ spanId }) => spanId === parentId);
      const own = `${service}: ${name}`;
      return parent ? `${pathOf(parent)} > ${own}` : own;
    };
    return all.map(pathOf);
  }

  async function untilThereIs(traceId: string, wanted: string): Promise<void> {
    const paths = await eventually(
      async () => pathsOf(traceId),
      (found) => found.includes(wanted),
    );
    expect(paths).toContain(wanted);
  }

  test('a login is one trace, from the call of the client through the demo and the Manager to PostgreSQL', async () => {
    const demo = 'authsec-demo-mcp: tools/call oauth_authenticate > authsec-demo-mcp: POST /v1/sessions';
    const manager = 'authsec-manager: POST /v1/sessions > authsec-manager: prisma:client:operation';
    await untilThereIs(login, `${demo} > ${manager} > authsec-manager: prisma:client:db_query`);
    const roots = pathsOf(login).filter((path) => !path.includes(' > '));
    expect([...new Set(roots)]).toEqual(['authsec-demo-mcp: tools/call oauth_authenticate']);
  }, 60_000);

  test('a call of a tool that needs a credential is one too, and says by whom and why it was allowed', async () => {
    const demo = 'authsec-demo-mcp: tools/call list_repositories > authsec-demo-mcp: POST /v1/service-credentials';
    const manager = 'authsec-manager: POST /v1/service-credentials > authsec-manager: prisma:client:operation';
    await untilThereIs(using, `${demo} > ${manager} > authsec-manager: prisma:client:db_query`);
    const call = spans().find(({ name }) => name === 'tools/call list_repositories');
    expect(call?.parentId).toBe('00f067aa0ba902b7');
    expect(call?.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'list_repositories',
      'network.transport': 'tcp',
      'authsec.decision.outcome': 'allowed',
    });
  }, 60_000);

  test('every attribute of every span is one that docs/telemetry.md names, and no value looks like a credential', () => {
    const documented = readFileSync(new URL('../../../../docs/telemetry.md', import.meta.url), 'utf8');
    const all = spans().flatMap(({ attributes }) => Object.entries(attributes));
    expect(all.length).toBeGreaterThan(500);
    const names = [...new Set(all.map(([name]) => name))];
    expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
    // 128 random bits and what is longer, as codes, ids of logins and tokens are; statements have placeholders.
    const random = /(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{22,}/;
    const suspect = all.filter(([name, value]) => name !== 'db.query.text' && random.test(value));
    expect(suspect).toEqual([]);
    const statements = all.flatMap(([name, value]) => (name === 'db.query.text' ? [value] : []));
    expect(statements.filter((text) => /'[^'\s]{20,}'|\b[0-9a-f-]{32,}\b/.test(text))).toEqual([]);
  });

  test('nothing that is secret is in anything that was sent, and both send metrics', async () => {
    await client.call('oauth_logout');
    await client.close();
    await collector.has('/v1/metrics', 'authsec.sdk.decisions');
    await collector.has('/v1/metrics', 'authsec.logins');
    const { credentials } = await readDevSecrets(stack.directory);
    await stack.interrupt();
    const sent = collector.received.map(({ body }) => body).join('\n');
    const [tenant] = dev.tenants;
    const secrets = [
      code,
      sessionId,
      tenant!.application.client_secret,
      credentials.gitHubToken(tenant!.tenant_id),
      ...tenant!.people.flatMap(({ email, password }) => [email, password]),
    ];
    expect(sent.length).toBeGreaterThan(20_000);
    expect(secrets.filter((secret) => sent.includes(secret))).toEqual([]);
    // What a token looks like, and what a header that has one begins with.
    expect(sent).not.toMatch(/eyJ[\w-]{8,}|Bearer |Basic /);
  }, 60_000);
});
