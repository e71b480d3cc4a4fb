import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { suppressTracing, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { RequestFacts } from '../../ports/current-request.js';
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

const attributeNames = {
  tenant: 'authsec.tenant.id',
  client_id: 'authsec.client.id',
  decision_id: 'authsec.decision.id',
  grant_type: 'authsec.oauth.grant_type',
  oauth_error: 'authsec.oauth.error',
} as const satisfies Partial<Record<keyof RequestFacts, string>>;

/** The semantic conventions have no names for what OAuth is about: these are our own. */
function attributesOf(facts: RequestFacts): Attributes {
  const names = Object.entries(attributeNames) as [keyof typeof attributeNames, string][];
  return Object.fromEntries(names.map(([fact, name]) => [name, facts[fact]]));
}

/** A server span a request, below that of the one who asked, by the HTTP semantic conventions; and how long it took. */
export function createRequestTracer(
  tracer: Tracer | undefined,
  instruments: Instruments | undefined,
): Telemetry['traceRequest'] {
  return ({ method: said, headers, scheme, isProbe = false }) => {
    if (isProbe) return { traceId: undefined, run: (run) => context.with(quiet, run), end() {} };
    const method = methods.has(said) ? said : '_OTHER';
    const startedAt = performance.now();
    const off = noTelemetry.traceRequest({ method, headers });
    const parent = propagator.extract(ROOT_CONTEXT, headers, getter);
    const span = tracer?.startSpan(
      method,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': method, ...(scheme !== undefined && { 'url.scheme': scheme }) },
      },
      parent,
    );
    const own = span && trace.setSpan(parent, span);
    const result: RequestTrace = {
      traceId: span?.spanContext().traceId ?? traceIdOf(headers['traceparent']),
      spanId: span?.spanContext().spanId,
      run: (run) => (own ? context.with(own, run) : off.run(run)),
      end({ route, status, facts }) {
        const seconds = (performance.now() - startedAt) / 1000;
        instruments?.requestEnded({ method, route, status, seconds });
        if (!span) return;
        span.updateName(`${method} ${route}`);
        span.setAttributes({ 'http.route': route, 'http.response.status_code': status, ...attributesOf(facts) });
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
