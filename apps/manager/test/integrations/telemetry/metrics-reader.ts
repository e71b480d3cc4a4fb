import type { Attributes } from '@opentelemetry/api';
import { MetricReader } from '@opentelemetry/sdk-metrics';

interface Point {
  readonly attributes: Attributes;
  readonly value: unknown;
}

/** Reads metrics as they stand, by their name. */
class PointReader extends MetricReader {
  async read(): Promise<ReadonlyMap<string, readonly Point[]>> {
    const { resourceMetrics } = await this.collect();
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return new Map(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      ]),
    );
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export function createMetricsReader(): PointReader {
  return new PointReader();
}
