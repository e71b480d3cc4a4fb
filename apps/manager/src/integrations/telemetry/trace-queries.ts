import type { TracerProvider } from '@opentelemetry/api';

/** Steps of Prisma's own that say nothing to an operator. */
const ignored = [/^prisma:client:(?:serialize|connect|compile|detect_platform|load_engine|db_connect)$/];

/** Spans of each database operation and of its SQL, in which values are placeholders; returns what stops it. */
export async function traceQueries(tracerProvider: TracerProvider): Promise<() => void> {
  const { PrismaInstrumentation } = await import('@prisma/instrumentation');
  const instrumentation = new PrismaInstrumentation({ ignoreSpanTypes: ignored });
  instrumentation.setTracerProvider(tracerProvider);
  instrumentation.enable();
  return () => instrumentation.disable();
}
