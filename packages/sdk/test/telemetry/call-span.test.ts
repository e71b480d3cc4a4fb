import { context, propagation, SpanStatusCode } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadOpenTelemetry } from '../../src/telemetry/open-telemetry.js';
import { admin, developer, unjudgeable } from '../guard/fake-session.js';
import { connectRaw, type Connected } from './connected.js';
import { recordTelemetry } from './recorded.js';

const { spans, exportedMetrics, reader } = recordTelemetry();
let connected: Connected;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  await loadOpenTelemetry();
});
afterAll(() => reader.shutdown());
beforeEach(async () => {
  connected = await connectRaw();
  connected.session.become(admin);
  spans.reset();
});
afterEach(() => connected.close());

const only = () => {
  const [span, ...more] = spans.getFinishedSpans();
  if (!span || more.length > 0) throw new Error(`${spans.getFinishedSpans().length} spans`);
  return span;
};

describe('the span of a call', () => {
  test('names the tool and what was decided, by the semantic conventions of MCP, and holds nothing of what was said', async () => {
    await connected.client.call('dashboard', { secret: 'canary-argument' });
    const span = only();
    expect(span.name).toBe('tools/call dashboard');
    expect(span.attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'dashboard',
      'network.transport': 'pipe',
      'mcp.protocol.version': '2025-11-25',
      'jsonrpc.request.id': expect.stringMatching(/^\d+$/),
      'authsec.decision.outcome': 'allowed',
      'authsec.decision.code': 'allowed',
    });
  });

  test('says why a tool is hidden from this caller', async () => {
    connected.session.become(developer);
    await connected.client.call('dashboard');
    expect(only().attributes).toMatchObject({
      'gen_ai.tool.name': 'dashboard',
      'authsec.decision.outcome': 'hidden',
      'authsec.decision.code': 'role_missing',
      'error.type': expect.any(String),
    });
  });

  test('does not carry a name that the caller made up', async () => {
    await connected.client.call('canary-tool-name');
    const span = only();
    expect(span.name).toBe('tools/call');
    expect(span.attributes['authsec.decision.code']).toBe('unknown_tool');
    expect(JSON.stringify([span.name, span.attributes, span.events])).not.toContain('canary');
  });

  test('has neither an id nor a version that looks like something else', async () => {
    const params = { name: 'dashboard', arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': 'canary' } };
    await connected.client.request('tools/call', params, 'canary of a caller');
    expect(only().attributes).not.toHaveProperty('jsonrpc.request.id');
    expect(only().attributes).not.toHaveProperty('mcp.protocol.version');
    expect(JSON.stringify(only().attributes)).not.toContain('canary');
  });

  test('has the code of an answer that is an error of the protocol', async () => {
    await connected.client.request('tools/call', { name: 7 });
    expect(only().attributes).toMatchObject({ 'error.type': '-32602', 'rpc.response.status_code': '-32602' });
  });

  test('is an error where the tool failed, and where rights cannot be judged', async () => {
    await connected.client.call('broken');
    expect(only()).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'tool_error' },
    });
    expect(JSON.stringify([only().status, only().events])).not.toContain('canary');
    spans.reset();
    connected.session.become(unjudgeable('ada@acme.test', { roles: ['admin'] }));
    await connected.client.call('dashboard');
    expect(only().attributes).toMatchObject({
      'authsec.decision.outcome': 'unavailable',
      'authsec.decision.code': 'policy_unavailable',
    });
  });

  test('is the parent of what the handler does', async () => {
    await connected.client.call('dashboard');
    expect(connected.seen.at(-1)).toEqual(only().spanContext());
  });

  test('ends where the connection does, whatever was not answered', async () => {
    void connected.client.call('forever');
    await connected.client.settle();
    await connected.close();
    expect(only().attributes['error.type']).toBe('cancelled');
  });
});

describe('the trace of the caller', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

  test('is continued from _meta, its baggage left out', async () => {
    const baggage = 'user=canary';
    await connected.client.call('dashboard', {}, { _meta: { traceparent, tracestate: 'rojo=1', baggage } });
    const { traceId: own, traceState } = only().spanContext();
    expect(own).toBe(traceId);
    expect(only().parentSpanContext?.spanId).toBe('00f067aa0ba902b7');
    expect(traceState?.serialize()).toBe('rojo=1');
    expect(connected.baggage.at(-1)).toBeUndefined();
  });

  test.each([
    ['not a text', 7],
    ['too long', `${traceparent}-more`],
    ['all zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['of capitals', traceparent.toUpperCase()],
    ['an object', { toString: () => traceparent }],
  ])('is not continued where it is %s', async (_name, given) => {
    await connected.client.call('dashboard', {}, { _meta: { traceparent: given } });
    expect(only().parentSpanContext).toBeUndefined();
    expect(only().spanContext().traceId).not.toBe(traceId);
  });

  test('a trace state that is too long is left out', async () => {
    await connected.client.call('dashboard', {}, { _meta: { traceparent, tracestate: `a=${'x'.repeat(600)}` } });
    expect(only().spanContext()).toMatchObject({ traceId });
    expect(only().spanContext().traceState).toBeUndefined();
  });
});

test('metrics count decisions by tool, outcome and reason, and no name that a caller made up', async () => {
  await connected.client.call('dashboard');
  connected.session.become(developer);
  await connected.client.call('dashboard');
  await connected.client.call('canary-tool-name');
  await reader.forceFlush();
  const all =
    exportedMetrics
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  expect(all.map(({ descriptor }) => descriptor.name).sort()).toEqual([
    'authsec.sdk.decisions',
    'authsec.sdk.guard.duration',
    'authsec.sdk.lease.age',
    'authsec.sdk.sessions',
    'mcp.server.operation.duration',
  ]);
  const decisions = all.find(({ descriptor }) => descriptor.name === 'authsec.sdk.decisions');
  expect(decisions?.dataPoints.map(({ attributes }) => attributes)).toEqual(
    expect.arrayContaining([
      { outcome: 'allowed', code: 'allowed', 'gen_ai.tool.name': 'dashboard' },
      { outcome: 'hidden', code: 'role_missing', 'gen_ai.tool.name': 'dashboard' },
      { outcome: 'hidden', code: 'unknown_tool' },
    ]),
  );
  expect(JSON.stringify(all)).not.toContain('canary');
});

describe('onDecision', () => {
  test('is told of each decision, with its reason and the person', async () => {
    await connected.client.call('dashboard');
    connected.session.become(developer);
    await connected.client.call('dashboard');
    await connected.client.call('nothing');
    const told = connected.onDecision.mock.calls.map(([decision]) => decision);
    expect(told).toMatchObject([
      { tool: 'dashboard', outcome: 'allowed', code: 'allowed', user: { email: 'ada@acme.test' } },
      { tool: 'dashboard', outcome: 'hidden', code: 'role_missing', user: { email: 'dev@acme.test' } },
      { tool: 'nothing', outcome: 'hidden', code: 'unknown_tool' },
    ]);
    expect(told[1]?.why()).toContain('admin');
  });

  test('decides nothing by throwing', async () => {
    connected.onDecision.mockImplementation(() => {
      throw new Error('of the author');
    });
    expect((await connected.client.call('dashboard')).result.content).toEqual([{ type: 'text', text: 'done' }]);
    connected.session.become(developer);
    expect((await connected.client.call('dashboard')).result.isError).toBe(true);
    expect(jest.isMockFunction(connected.onDecision)).toBe(true);
  });
});
