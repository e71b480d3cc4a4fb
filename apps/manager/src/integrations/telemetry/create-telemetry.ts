import type { Logger } from 'pino';
import type { Config } from '../../config/load-config.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import type { TelemetryOutlets } from './open-telemetry.js';

export interface TelemetryOptions {
  readonly config: Config['telemetry'];
  readonly logger: Logger;
  /** Where a test wants to have it beside, or instead of, the configured places. */
  readonly outlets?: TelemetryOutlets;
}

const logsAreNotSent =
  'OTEL_LOGS_EXPORTER is ignored: log lines go to standard output alone, for a collector to read (docs/telemetry.md)';

/** OpenTelemetry where something is configured that takes it; otherwise not even its packages are loaded. */
export async function createTelemetry({ config, logger, outlets }: TelemetryOptions): Promise<Telemetry> {
  const { traces, metrics, metricsServer, wantsLogs } = config;
  if (wantsLogs) logger.warn(logsAreNotSent);
  if (!traces && !metrics && !metricsServer && !outlets) return noTelemetry;
  const { createOpenTelemetry } = await import('./open-telemetry.js');
  return createOpenTelemetry({ config, logger, ...(outlets && { outlets }) });
}
