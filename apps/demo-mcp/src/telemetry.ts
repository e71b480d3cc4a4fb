import type { Environment } from './running-server.js';

export interface Telemetry {
  /** Sends what is left, for some seconds at most. */
  stop(): Promise<void>;
}

/**
 * OpenTelemetry where the standard variables name a collector; otherwise nothing of it is loaded but what the SDK looks
 * for, its API. Before the server is made. Rejects with what to put right.
 */
export async function startTelemetry(env: Environment): Promise<Telemetry> {
  const sends = (signal: 'TRACES' | 'METRICS'): boolean => {
    const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    return Boolean(endpoint) && (env[`OTEL_${signal}_EXPORTER`] || 'otlp') === 'otlp';
  };
  const isDisabled = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true';
  const signals = { traces: !isDisabled && sends('TRACES'), metrics: !isDisabled && sends('METRICS') };
  if (!signals.traces && !signals.metrics) return { stop: async () => {} };
  const protocol = env['OTEL_EXPORTER_OTLP_PROTOCOL'] || 'http/protobuf';
  if (protocol !== 'http/protobuf') throw new Error('OTEL_EXPORTER_OTLP_PROTOCOL: the demo speaks http/protobuf alone');
  const { setUpOpenTelemetry } = await import('./open-telemetry.js');
  return setUpOpenTelemetry({ ...signals, metricIntervalMs: Number(env['OTEL_METRIC_EXPORT_INTERVAL']) || 60_000 });
}
