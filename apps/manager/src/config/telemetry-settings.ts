import type { z } from 'zod';
import type { environmentSchema } from './schema.js';

/** Where the Manager tells of itself; with nothing set it tells nobody, and loads nothing for it. */
export interface TelemetrySettings {
  /** Traces are sent to an OTLP endpoint. */
  readonly traces: boolean;
  /** Metrics are sent to an OTLP endpoint. */
  readonly metrics: boolean;
  /** How often these are sent. */
  readonly metricIntervalMs?: number;
  /** Somebody wants log lines to be sent, which they are not. */
  readonly wantsLogs?: boolean;
  /** Where `/metrics` is, for Prometheus. */
  readonly metricsServer: { readonly host: string; readonly port: number } | undefined;
  /** Decisions, sessions and logins are counted by tenant: for those who have few. */
  readonly tenantLabel: boolean;
}

/** OpenTelemetry's standard variables, but for one thing: without an endpoint nothing is sent, not even to this host. */
export function telemetrySettingsOf(values: z.output<typeof environmentSchema>): TelemetrySettings {
  const disabled = values.OTEL_SDK_DISABLED?.toLowerCase() === 'true';
  const everything = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  const sends = (exporter: string, endpoint: string | undefined) =>
    !disabled && exporter === 'otlp' && (endpoint ?? everything) !== undefined;
  const port = values.AUTHSEC_METRICS_PORT;
  return {
    traces: sends(values.OTEL_TRACES_EXPORTER, values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT),
    metrics: sends(values.OTEL_METRICS_EXPORTER, values.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT),
    metricIntervalMs: values.OTEL_METRIC_EXPORT_INTERVAL,
    wantsLogs: !disabled && values.OTEL_LOGS_EXPORTER !== 'none',
    metricsServer: port === undefined || disabled ? undefined : { host: values.AUTHSEC_METRICS_HOST, port },
    tenantLabel: values.AUTHSEC_METRICS_TENANT_LABEL,
  };
}
