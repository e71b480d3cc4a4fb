import { diag, DiagConsoleLogger, DiagLogLevel, metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Telemetry } from './telemetry.js';

const stopWithinMs = 3_000;

interface Signals {
  readonly traces: boolean;
  readonly metrics: boolean;
  readonly metricIntervalMs: number;
}

/** What any application does: `@authsec/sdk` finds what is set up here. Endpoints and headers the exporters read themselves. */
export function setUpOpenTelemetry({ traces, metrics: sendsMetrics, metricIntervalMs }: Signals): Telemetry {
  // Warnings and errors, which go to standard error: on stdio the other stream is the client's.
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'authsec-demo-mcp' }))
    .merge(detectResources({ detectors: [envDetector] }));
  const spanProcessors = traces ? [new BatchSpanProcessor(new OTLPTraceExporter())] : [];
  const exporting = { exportIntervalMillis: metricIntervalMs };
  const readers = sendsMetrics
    ? [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), ...exporting })]
    : [];
  const tracers = new NodeTracerProvider({ resource, spanProcessors });
  const meters = new MeterProvider({ resource, readers });
  tracers.register();
  metrics.setGlobalMeterProvider(meters);
  return {
    async stop() {
      const ended = Promise.allSettled([tracers.shutdown(), meters.shutdown()]);
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, stopWithinMs).unref())]);
    },
  };
}
