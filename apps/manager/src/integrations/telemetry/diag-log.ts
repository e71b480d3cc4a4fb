import type { DiagLogger } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { redactText } from '../logger.js';

const spacingMs = 60_000;

/** What OpenTelemetry says of itself, in the Manager's log: a collector that is away is told of once a minute. */
export function createDiagLog(logger: Logger): DiagLogger {
  let nextAt = 0;
  const warn = (message: string, ...rest: unknown[]): void => {
    const now = performance.now();
    if (now < nextAt) return;
    nextAt = now + spacingMs;
    const reason = rest.find((part) => part instanceof Error)?.message;
    logger.warn({ reason: redactText(reason ?? message).slice(0, 300) }, 'telemetry could not be delivered');
  };
  const nothing = () => {};
  return { error: warn, warn, info: nothing, debug: nothing, verbose: nothing };
}
