import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ManagerClientError, type TransportRequest } from '@authsec/manager-client';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { loadOpenTelemetry } from '../../src/telemetry/open-telemetry.js';
import { inBackground, traceTransport } from '../../src/telemetry/trace-transport.js';

const spans = new InMemorySpanExporter();
let sent: TransportRequest[] = [];

const transport = traceTransport({
  async send(request) {
    sent.push(request);
    if (request.url.includes('broken')) throw new ManagerClientError('unreachable', 'canary-message');
    return { status: request.url.includes('refused') ? 403 : 200, header: () => null, body: 'canary-body' };
  },
});
const ask = (url: string, more: Partial<TransportRequest> = {}) =>
  transport.send({
    method: 'POST',
    url,
    headers: { authorization: 'Bearer canary-token' },
    body: 'canary-body',
    timeoutMs: 1_000,
    ...more,
  });

test('is the transport itself, and adds nothing, before OpenTelemetry is there', async () => {
  await ask('https://auth.example.com/v1/sessions');
  expect(sent[0]?.headers).toEqual({ authorization: 'Bearer canary-token' });
  expect(inBackground(() => 'ran')).toBe('ran');
});

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
});
beforeEach(() => {
  spans.reset();
  sent = [];
});

test('tells the Manager the trace, and nothing else of the context', async () => {
  await loadOpenTelemetry();
  const baggage = propagation.createBaggage({ user: { value: 'canary' } });
  await context.with(propagation.setBaggage(context.active(), baggage), () =>
    ask('https://auth.example.com/v1/sessions', { route: '/v1/sessions' }),
  );
  const [span] = spans.getFinishedSpans();
  const { traceId, spanId } = span!.spanContext();
  expect(sent[0]?.headers).toEqual({
    authorization: 'Bearer canary-token',
    traceparent: `00-${traceId}-${spanId}-01`,
  });
});

test.each([
  ['https://auth.example.com/v1/sessions/canary-sid?reason=canary', '/v1/sessions/:sid', 'POST /v1/sessions/:sid'],
  ['https://auth.example.com/t/canary/token', undefined, 'POST /t/:tenant/token'],
  ['https://auth.example.com/base/t/canary/go', undefined, 'POST /t/:tenant/go'],
  ['https://auth.example.com/t/canary/canary', undefined, 'POST /t/:tenant/*'],
  ['https://auth.example.com/canary', undefined, 'POST /t/:tenant/*'],
])('has neither ids nor secrets of %s', async (url, route, name) => {
  await loadOpenTelemetry();
  await ask(url, { route });
  const [span] = spans.getFinishedSpans();
  expect(span?.name).toBe(name);
  expect(span?.attributes).toMatchObject({ 'server.address': 'auth.example.com', 'server.port': 443 });
  expect(JSON.stringify([span?.name, span?.attributes, span?.events, span?.status])).not.toContain('canary');
});

test('says how it failed, in a code', async () => {
  await loadOpenTelemetry();
  await ask('https://auth.example.com/refused', { route: '/v1/sessions' });
  await expect(ask('https://auth.example.com/broken', { route: '/v1/sessions' })).rejects.toThrow(ManagerClientError);
  const types = spans.getFinishedSpans().map(({ attributes }) => attributes['error.type']);
  expect(types).toEqual(['403', 'unreachable']);
  expect(JSON.stringify(spans.getFinishedSpans().map(({ events, status }) => [events, status]))).not.toContain(
    'canary',
  );
});

test('what runs in the background is in no trace of who set it off', async () => {
  await loadOpenTelemetry();
  await trace.getTracer('test').startActiveSpan('call', async (span) => {
    await inBackground(() => ask('https://auth.example.com/v1/changes', { route: '/v1/changes' }));
    span.end();
  });
  const [poll, call] = spans.getFinishedSpans();
  expect(poll?.parentSpanContext).toBeUndefined();
  expect(poll?.spanContext().traceId).not.toBe(call?.spanContext().traceId);
});
