import { randomUUID } from 'node:crypto';
import { context, diag, DiagLogLevel, type Meter, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type IMetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import type { Config } from '../../config/load-config.js';
import type { Telemetry } from '../../ports/telemetry.js';
import { createDiagLog } from './diag-log.js';
import { createGauges } from './gauges.js';
import { createInstruments } from './instruments.js';
import { createMetricsServer, type MetricsServer } from './metrics-server.js';
import { traceQueries } from './trace-queries.js';
import { createRequestTracer } from './trace-requests.js';

export interface TelemetryOutlets {
  readonly spanProcessors?: readonly SpanProcessor[];
  readonly metricReaders?: readonly IMetricReader[];
}

export interface OpenTelemetryOptions {
  readonly config: Config['telemetry'];
  readonly logger: Logger;
  readonly outlets?: TelemetryOutlets;
}

const scope = 'authsec-manager';
const closeWithinMs = 3_000;

/** The SDK of OpenTelemetry, with what of it the Manager uses; its exporters read the standard variables themselves. */
export async function createOpenTelemetry({ config, logger, outlets }: OpenTelemetryOptions): Promise<Telemetry> {
  diag.setLogger(createDiagLog(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': scope, 'service.instance.id': randomUUID() }))
    .merge(detectResources({ detectors: [envDetector] }));

  const metricsServer = config.metricsServer && (await createMetricsServer(config.metricsServer));
  if (metricsServer) logger.info({ host: config.metricsServer?.host, port: metricsServer.port }, 'metrics');
  const spanProcessors = [...(outlets?.spanProcessors ?? []), ...(await spanExport(config))];
  const readers = [...(outlets?.metricReaders ?? []), ...(await metricExport(config)), ...readersOf(metricsServer)];
  const meters = readers.length > 0 ? new MeterProvider({ resource, readers }) : undefined;
  const tracers =
    spanProcessors.length > 0
      ? new BasicTracerProvider({ resource, spanProcessors, spanLimits: { attributeValueLengthLimit: 2_048 } })
      : undefined;

  const contexts = new AsyncLocalStorageContextManager().enable();
  const ownsContext = tracers !== undefined && context.setGlobalContextManager(contexts);
  const ownsTracers = tracers !== undefined && trace.setGlobalTracerProvider(tracers);
  const stopQueries = tracers && (await traceQueries(tracers));
  const meter: Meter | undefined = meters?.getMeter(scope);
  const instruments = meter && createInstruments(meter, config);
  const traceRequest = createRequestTracer(tracers?.getTracer(scope), instruments);

  return {
    record: (event) => instruments?.record(event),
    traceRequest,
    watch: (sources) => meter && createGauges(meter, sources),
    async close() {
      stopQueries?.();
      const ended = Promise.allSettled([tracers?.shutdown(), meters?.shutdown(), metricsServer?.close()]);
      const late = new Promise<void>((resolve) => setTimeout(resolve, closeWithinMs).unref());
      await Promise.race([ended, late]);
      if (ownsTracers) trace.disable();
      if (ownsContext) context.disable();
    },
  };
}

async function spanExport({ traces }: Config['telemetry']): Promise<SpanProcessor[]> {
  if (!traces) return [];
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  return [new BatchSpanProcessor(new OTLPTraceExporter())];
}

async function metricExport({ metrics, metricIntervalMs = 60_000 }: Config['telemetry']): Promise<IMetricReader[]> {
  if (!metrics) return [];
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
  return [
    new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: metricIntervalMs }),
  ];
}

function readersOf(server: MetricsServer | undefined): IMetricReader[] {
  return server ? [server.reader] : [];
}
