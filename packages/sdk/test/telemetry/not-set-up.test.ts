import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from '@jest/globals';
import { beginCall } from '../../src/telemetry/call-span.js';
import { loadOpenTelemetry, openTelemetry } from '../../src/telemetry/open-telemetry.js';

const call = { params: { name: 'dashboard' }, transport: 'tcp', id: 1, protocol: undefined } as const;

afterEach(() => {
  trace.disable();
  metrics.disable();
  context.disable();
});

test('an application that has the API, and nobody who set it up, costs no spans', async () => {
  await loadOpenTelemetry();
  expect(openTelemetry()).toBeUndefined();
  expect(beginCall(call)).toBeUndefined();
});

test('what is set up after the first call is used from then on: traces', async () => {
  await loadOpenTelemetry();
  expect(beginCall(call)).toBeUndefined();
  const spans = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  beginCall(call)?.end({ jsonrpc: '2.0', id: 1, result: {} });
  expect(spans.getFinishedSpans()).toHaveLength(1);
});

test('and metrics alone', async () => {
  await loadOpenTelemetry();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  beginCall(call)?.end({ jsonrpc: '2.0', id: 1, result: {} });
  await reader.forceFlush();
  const names = exporter
    .getMetrics()[0]
    ?.scopeMetrics.flatMap((scope) => scope.metrics.map((one) => one.descriptor.name));
  expect(names).toContain('mcp.server.operation.duration');
  await reader.shutdown();
});
