import { context, type Context, trace, type Tracer, type TracerProvider } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';

/** Steps of Prisma's own that say nothing to an operator. */
const ignored = [/^prisma:client:(?:serialize|connect|compile|detect_platform|load_engine|db_connect)$/];

/** Spans of each database operation and of its SQL, in which values are placeholders; returns what stops it. */
export async function traceQueries(tracerProvider: TracerProvider): Promise<() => void> {
  const { PrismaInstrumentation } = await import('@prisma/instrumentation');
  const instrumentation = new PrismaInstrumentation({ ignoreSpanTypes: ignored });
  instrumentation.setTracerProvider({
    getTracer: (...given) => onlyBelowSpans(tracerProvider.getTracer(...given)),
  });
  instrumentation.enable();
  return () => instrumentation.disable();
}

/** What the Manager asks its databases by itself is no trace of its own. */
function onlyBelowSpans(tracer: Tracer): Tracer {
  const quietAtRoot = (at: Context) => (trace.getSpan(at) ? at : suppressTracing(at));
  const startActiveSpan = (...given: unknown[]): unknown =>
    context.with(quietAtRoot(context.active()), () => Reflect.apply(tracer.startActiveSpan, tracer, given) as unknown);
  return {
    startSpan: (name, options, at = context.active()) => tracer.startSpan(name, options, quietAtRoot(at)),
    startActiveSpan: startActiveSpan,
  };
}
