import { setTimeout as delay } from 'node:timers/promises';
import { metrics, propagation, SpanKind } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTelemetry } from '../../../src/integrations/telemetry/create-telemetry.js';
import { createHttpBrowser, textOf } from '../../authorization-server/http-browser.js';
import {
  createClient,
  givePassword,
  password,
  startTestServer,
  type TestClient,
  type TestServer,
} from '../../authorization-server/test-server.js';
import { createKeptLog } from '../../support/kept-log.js';
import { createTestApplication, createTestPerson, createTestRole } from '../../support/test-data.js';
import type { TestTenant } from '../../support/test-manager.js';
import { type GuardedServer, openGuardedServer } from './guarded-server.js';

const log = createKeptLog('trace');
const spans = new InMemorySpanExporter();
/** Never reset. */
const allSpans = new InMemorySpanExporter();
const inMemory = () => new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const exported = { manager: inMemory(), sdk: inMemory() };
const readerOf = (exporter: InMemoryMetricExporter) =>
  new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
const readers = { manager: readerOf(exported.manager), sdk: readerOf(exported.sdk) };

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let email: string;
let guarded: GuardedServer;

beforeAll(async () => {
  const { logger } = log;
  const telemetry = await createTelemetry({
    config: { traces: false, metrics: false, metricsServer: undefined, tenantLabel: true },
    logger,
    outlets: {
      spanProcessors: [new SimpleSpanProcessor(spans), new SimpleSpanProcessor(allSpans)],
      metricReaders: [readers.manager],
    },
  });
  // The application's own set-up, in whose process the SDK runs; the same process here.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [readers.sdk] }));
  server = await startTestServer({ logger, telemetry }, { AUTHSEC_LOG_LEVEL: 'trace' });
  tenant = await server.createTenant();
  client = await createClient(tenant);
  const person = await createTestPerson(tenant, { roles: ['admin'] });
  ({ email } = person);
  await givePassword(tenant, person.id);
  guarded = await openGuardedServer(tenant, client);
});
afterAll(async () => {
  await guarded?.close();
  await server?.close();
  await readers.sdk.shutdown();
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const meta = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
const cookies: string[] = [];
const serviceToken = 'canary-of-the-service';
let sessionId = '';
let code = '';

async function signIn(authorizationUrl: string): Promise<string> {
  const browser = createHttpBrowser();
  let page = await browser.press(await browser.get(authorizationUrl), 'Continue to sign-in');
  page = await browser.press(page, 'Sign in', { email, password });
  page = await browser.press(page, 'Approve');
  cookies.push(...[...browser.cookies.values()].map(({ value }) => value));
  return textOf(page, 'code') ?? '';
}

const ofTrace = () => spans.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);

/** The names of a span and of those above it. */
function pathOf(span: ReadableSpan): string[] {
  const parent = ofTrace().find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
  return [...(parent ? pathOf(parent) : []), span.name];
}

describe('a login', () => {
  test('is one trace, from the call of the tool through the guard and the Manager to PostgreSQL', async () => {
    const started = await guarded.call('oauth_start');
    sessionId = String(started['structuredContent'].session_id);
    code = await signIn(String(started['structuredContent'].authorization_url));
    spans.reset();
    const answer = await guarded.call('oauth_authenticate', { session_id: sessionId, code }, meta);
    expect(answer['structuredContent']).toMatchObject({ status: 'authenticated' });
    const paths = ofTrace().map(pathOf);
    expect(paths).toContainEqual(['tools/call oauth_authenticate']);
    expect(paths).toContainEqual([
      'tools/call oauth_authenticate',
      'POST /t/:tenant/token',
      'POST /t/:tenant/token',
      'prisma:client:operation',
      'prisma:client:db_query',
    ]);
    expect(paths).toContainEqual([
      'tools/call oauth_authenticate',
      'POST /v1/sessions',
      'POST /v1/sessions',
      'prisma:client:operation',
      'prisma:client:db_query',
    ]);
    expect(ofTrace().every((span) => span.parentSpanContext !== undefined)).toBe(true);
  });

  test('says what kind of grant it was and for whom, in our own words: the conventions have none for OAuth', () => {
    const span = ofTrace().find(({ name, kind }) => name === 'POST /t/:tenant/token' && kind === SpanKind.SERVER);
    expect(span?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': '/t/:tenant/token',
      'url.scheme': 'http',
      'authsec.tenant.id': tenant.id,
      'authsec.client.id': client.clientId,
      'authsec.oauth.grant_type': 'authorization_code',
    });
    const api = ofTrace().find(({ name, kind }) => name === 'POST /v1/sessions' && kind === SpanKind.SERVER);
    expect(api?.attributes).toMatchObject({ 'authsec.tenant.id': tenant.id, 'authsec.client.id': client.clientId });
    const query = ofTrace().find(({ name }) => name === 'prisma:client:db_query');
    expect(query?.attributes).toMatchObject({ 'db.system.name': 'postgresql', 'db.query.text': expect.any(String) });
  });

  test('leaves its trace id in each log line that it caused, with request and tenant', () => {
    const lines = log
      .text()
      .split('\n')
      .filter((line) => line.includes(traceId))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ path }) => path)).toEqual(expect.arrayContaining([`/t/${tenant.id}/token`, '/v1/sessions']));
    for (const line of lines) {
      expect(line).toMatchObject({ trace_id: traceId, request_id: expect.any(String), tenant: tenant.id });
      expect(ofTrace().map((span) => span.spanContext().spanId)).toContain(line['span_id']);
    }
  });
});

test('what runs by itself, as polls and renewals do, is in no trace of a call that set it off', async () => {
  const own = () => spans.getFinishedSpans().filter(({ name }) => name === 'GET /v1/changes');
  for (let turn = 0; own().length === 0 && turn < 200; turn++) await delay(50);
  expect(own().length).toBeGreaterThan(0);
  expect(own().every((span) => span.spanContext().traceId !== traceId)).toBe(true);
});

test('a call of a tool is a span of the guard alone: nothing is asked on its way', async () => {
  spans.reset();
  const own = '11111111111111111111111111111111';
  const answer = await guarded.call('admin_dashboard', {}, { traceparent: `00-${own}-00f067aa0ba902b7-01` });
  expect(answer['content']).toEqual([{ type: 'text', text: 'dashboard' }]);
  const names = spans.getFinishedSpans().filter((span) => span.spanContext().traceId === own);
  expect(names.map(({ name }) => name)).toEqual(['tools/call admin_dashboard']);
});

test('a call that needs the credential of a service is one trace too, with the decision on which it hung, and without the credential', async () => {
  const writer = await createTestApplication(tenant, {
    roles: [await createTestRole(tenant, 'service-writer', ['authsec:services:*'])],
  });
  const created = await fetch(`${server.url}/v1/services`, {
    method: 'POST',
    headers: { authorization: await writer.bearer(), 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'kept-service',
      base_url: 'https://api.example.com/v1',
      settings: { kind: 'bearer' },
      secret: { token: serviceToken },
      requirement: { roles: ['admin'] },
      applications: [client.clientId],
      raw_credential: true,
    }),
  });
  expect(created.status).toBe(201);
  spans.reset();
  const answer = await guarded.call('use_service', {}, meta);
  expect(answer['content']).toEqual([{ type: 'text', text: `a token of ${serviceToken.length} characters` }]);
  const paths = ofTrace().map(pathOf);
  const issuing = ['tools/call use_service', 'POST /v1/service-credentials', 'POST /v1/service-credentials'];
  expect(paths).toContainEqual(issuing);
  expect(paths).toContainEqual([...issuing, 'prisma:client:operation', 'prisma:client:db_query']);
  const decided = ofTrace().filter(({ attributes }) => attributes['authsec.decision.id'] !== undefined);
  expect(decided.map(pathOf)).toEqual([issuing]);
});

test('an answer of the Manager knows its trace: what is decided for an application carries decision and trace in the log', async () => {
  const token = await fetch(`${tenant.issuer}/token`, {
    method: 'POST',
    headers: { authorization: client.basic },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: bearer } = (await token.json()) as { access_token: string };
  cookies.push(bearer);
  const { id: sid } = (await tenant.db.session.findFirst({ where: { endedAt: null } }))!;
  const answer = await fetch(`${server.url}/v1/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sid, requirement: { roles: ['admin'] } }),
  });
  const { decision_id: decisionId } = (await answer.json()) as { decision_id: string };
  const span = spans.getFinishedSpans().find((one) => one.attributes['authsec.decision.id'] === decisionId);
  expect(span?.name).toBe('POST /v1/decisions');
  const line = log
    .text()
    .split('\n')
    .find((text) => text.includes(decisionId));
  expect(JSON.parse(line ?? '')).toMatchObject({
    decision_id: decisionId,
    trace_id: span?.spanContext().traceId,
    tenant: tenant.id,
  });
});

test.each([
  ['authorization_code', 'invalid_request', { code: 'canary-code', code_verifier: 'canary'.repeat(8) }],
  ['canary-grant', 'unsupported_grant_type', {}],
])('a token that is refused says why, and nothing of what was sent: %s', async (grant, code, more) => {
  spans.reset();
  await fetch(`${tenant.issuer}/token`, {
    method: 'POST',
    headers: { authorization: client.basic },
    body: new URLSearchParams({ grant_type: grant, ...more }),
  });
  const span = spans.getFinishedSpans().find(({ kind }) => kind === SpanKind.SERVER);
  expect(span?.attributes).toMatchObject({
    'authsec.oauth.grant_type': grant.startsWith('canary') ? '_OTHER' : grant,
    'authsec.oauth.error': code,
  });
  expect(JSON.stringify(spans.getFinishedSpans().map(({ attributes }) => attributes))).not.toContain('canary');
});

test('a path that nobody knows, and a method that there is not, make no new name', async () => {
  spans.reset();
  await fetch(`${server.url}/v1/made-up`);
  await fetch(`${server.url}/t/${tenant.id}/made-up/made-up`);
  await fetch(`${server.url}/t/made-up-tenant/token`);
  await fetch(`${server.url}/t/${tenant.id}/go/made-up-id`);
  const text = JSON.stringify(spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes['http.route']]));
  expect(text).not.toContain('made-up');
  expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(
    expect.arrayContaining(['GET (unmatched)', 'GET /t/:tenant/*', 'GET /t/:tenant/token', 'GET /t/:tenant/go/*']),
  );
});

test('health probes make neither spans nor metrics', async () => {
  spans.reset();
  await fetch(`${server.url}/healthz`);
  await fetch(`${server.url}/readyz`);
  expect(spans.getFinishedSpans().filter(({ attributes }) => attributes['http.request.method'] === 'GET')).toEqual([]);
  expect(spans.getFinishedSpans().some(({ name }) => name.startsWith('prisma') && !name.includes('renew'))).toBe(false);
});

test('nothing that is secret is in any span, metric or log line of a whole login', async () => {
  const everything: unknown[] = [];
  const second = await openGuardedServer(tenant, client);
  spans.reset();
  const started = await second.call('oauth_start', {}, meta);
  const { session_id: id, authorization_url: url } = started['structuredContent'] as Record<string, string>;
  const shown = await signIn(String(url));
  await second.call('oauth_authenticate', { session_id: id, code: 'canary-wrong-code' }, meta);
  await second.call('oauth_authenticate', { session_id: id, code: shown }, meta);
  await second.call('oauth_user_info', {}, meta);
  await second.call('admin_dashboard', { text: 'canary-argument' }, meta);
  await second.call('oauth_logout', {}, meta);
  await second.close();
  await Promise.all([readers.manager.forceFlush(), readers.sdk.forceFlush()]);
  for (const span of allSpans.getFinishedSpans()) {
    const { name, attributes, events, links, status, resource } = span;
    everything.push([name, attributes, events, links, status, resource.attributes]);
  }
  everything.push(exported.manager.getMetrics(), exported.sdk.getMetrics(), log.text());
  const text = JSON.stringify(everything, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(text.length).toBeGreaterThan(50_000);

  const secrets = secretsIn([...guarded.wire, ...second.wire]);
  expect(secrets.size).toBeGreaterThan(20);
  const others = [
    code,
    shown,
    sessionId,
    String(id),
    String(url).split('/').at(-1)!,
    password,
    email,
    client.clientSecret,
  ];
  const said = [...secrets, ...cookies, ...others, 'canary'].filter((value) => value.length >= 6);
  expect(said.filter((value) => text.includes(value))).toEqual([]);
});

/** Whatever looks like a credential in what went over the wire, whole and in parts. */
function secretsIn(wire: readonly string[]): Set<string> {
  const found = new Set<string>();
  const names =
    /^(code|code_verifier|code_challenge|state|nonce|mcp_session|client_secret|access_token|refresh_token|id_token|authorization_url|sid|email|jti)$/;
  for (const text of wire) {
    for (const [, value] of text.matchAll(/^(?:Basic|Bearer) (\S+)$/g)) found.add(String(value));
    for (const [name, value] of new URLSearchParams(text)) if (names.test(name)) found.add(value);
    walk(parse(text));
  }
  return found;

  function walk(value: unknown, name = ''): void {
    if (typeof value === 'string' && names.test(name)) {
      found.add(value);
      if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(value)) for (const part of value.split('.').slice(1)) found.add(part);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value)) walk(part, Array.isArray(value) ? name : key);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
