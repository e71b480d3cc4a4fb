import type { Counter, Histogram, MeterProvider, ObservableResult } from '@opentelemetry/api';
import { openTelemetry, scopeName } from './open-telemetry.js';
import { loginsNow, oldestLeaseAgeMs } from './watched-logins.js';

export interface Instruments {
  readonly decisions: Counter;
  readonly guardDuration: Histogram;
  readonly operationDuration: Histogram;
}

/** Seconds; of the guard, which takes microseconds. */
const guardBoundaries = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];
/** Those of the semantic conventions of MCP. */
const operationBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

let made: { readonly of: MeterProvider; readonly instruments: Instruments } | undefined;

/** Made anew when the application sets up another meter provider, as it may after the first call. */
export function instruments(): Instruments | undefined {
  const api = openTelemetry();
  if (!api) return undefined;
  const provider = api.metrics.getMeterProvider();
  if (made?.of !== provider) made = { of: provider, instruments: create(provider) };
  return made.instruments;
}

function create(provider: MeterProvider): Instruments {
  const meter = provider.getMeter(scopeName);
  const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  const gauge = (name: string, unit: string, description: string, read: () => number) =>
    meter
      .createObservableGauge(name, { unit, description })
      .addCallback((result: ObservableResult) => result.observe(read()));

  gauge('authsec.sdk.sessions', '{session}', 'Logins that this process holds', loginsNow);
  gauge(
    'authsec.sdk.lease.age',
    's',
    'How long ago the rights of the login with the oldest lease were last confirmed',
    () => oldestLeaseAgeMs() / 1000,
  );
  return {
    decisions: meter.createCounter('authsec.sdk.decisions', {
      unit: '{decision}',
      description: 'Calls of tools, by what was decided about them',
    }),
    guardDuration: histogram('authsec.sdk.guard.duration', 'From a call of a tool to its decision', guardBoundaries),
    operationDuration: histogram('mcp.server.operation.duration', 'Calls of tools', operationBoundaries),
  };
}
