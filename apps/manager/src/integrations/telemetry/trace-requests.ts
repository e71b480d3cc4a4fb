import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { suppressTracing, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { RequestTrace, Telemetry } from '../../ports/telemetry.js';
import { noTelemetry, traceIdOf } from '../../ports/telemetry.js';
import type { Instruments } from './instruments.js';

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const quiet = suppressTracing(ROOT_CONTEXT);
const propagator = new W3CTraceContextPropagator();
const getter = {
  keys: (carrier: object) => Object.keys(carrier),
  get: (carrier: Readonly<Record<string, string | string[] | undefined>>, key: string) => carrier[key],
};

/** A server span a request, below that of the one who asked, by the HTTP semantic conventions; and how long it took. */
export function createRequestTracer(
  tracer: Tracer | undefined,
  instruments: Instruments | undefined,
): Telemetry['traceRequest'] {
  return ({ method: said, headers, isProbe = false }) => {
    if (isProbe) return { traceId: undefined, run: (run) => context.with(quiet, run), end() {} };
    const method = methods.has(said) ? said : '_OTHER';
    const startedAt = performance.now();
    const off = noTelemetry.traceRequest({ method, headers });
    const parent = propagator.extract(ROOT_CONTEXT, headers, getter);
    const span = tracer?.startSpan(
      method,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method } },
      parent,
    );
    const own = span && trace.setSpan(parent, span);
    const result: RequestTrace = {
      traceId: span?.spanContext().traceId ?? traceIdOf(headers['traceparent']),
      run: (run) => (own ? context.with(own, run) : off.run(run)),
      end({ route, status, tenantId, decisionId }) {
        const seconds = (performance.now() - startedAt) / 1000;
        instruments?.requestEnded({ method, route, status, seconds });
        if (!span) return;
        span.updateName(`${method} ${route}`);
        span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
        if (tenantId !== undefined) span.setAttribute('authsec.tenant.id', tenantId);
        if (decisionId !== undefined) span.setAttribute('authsec.decision.id', decisionId);
        if (status >= 500) {
          span.setAttribute('error.type', String(status));
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      },
    };
    return result;
  };
}
