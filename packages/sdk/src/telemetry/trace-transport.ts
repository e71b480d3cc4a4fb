import { ManagerClientError, type Transport, type TransportRequest } from '@authsec/manager-client';
import { openTelemetry, scopeName } from './open-telemetry.js';

const propagated = ['traceparent', 'tracestate'];

/** The same transport; each request to the Manager is a span, by the HTTP semantic conventions, and tells it its trace. */
export function traceTransport(transport: Transport): Transport {
  return {
    async send(request) {
      const api = openTelemetry();
      if (!api) return transport.send(request);
      const template = templateOf(request);
      const { hostname, port, protocol } = new URL(request.url);
      const span = api.trace.getTracer(scopeName).startSpan(`${request.method} ${template}`, {
        kind: api.SpanKind.CLIENT,
        attributes: {
          'http.request.method': request.method,
          'url.template': template,
          'server.address': hostname,
          'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
        },
      });
      const context = api.trace.setSpan(api.context.active(), span);
      const carrier: Record<string, string> = {};
      api.propagation.inject(context, carrier);
      const told = Object.entries(carrier).filter(([name]) => propagated.includes(name.toLowerCase()));
      const failed = (type: string) => {
        span.setAttribute('error.type', type);
        span.setStatus({ code: api.SpanStatusCode.ERROR });
      };
      try {
        const headers = { ...request.headers, ...Object.fromEntries(told) };
        const answer = await api.context.with(context, () => transport.send({ ...request, headers }));
        span.setAttribute('http.response.status_code', answer.status);
        if (answer.status >= 400) failed(String(answer.status));
        return answer;
      } catch (error) {
        failed(error instanceof ManagerClientError ? error.code : 'unknown');
        throw error;
      } finally {
        span.end();
      }
    },
  };
}

/** What runs by itself belongs to no call, whichever one set it off. */
export function inBackground<Result>(run: () => Result): Result {
  const api = openTelemetry();
  return api ? api.context.with(api.ROOT_CONTEXT, run) : run();
}

/** Nothing of an id or a token: the route of the contract, or the endpoint below the issuer. */
function templateOf({ route, url }: TransportRequest): string {
  if (route !== undefined) return route;
  const [, endpoint = ''] = /\/t\/[^/]+\/(go|jwks|request|revocation|token)$/.exec(new URL(url).pathname) ?? [];
  return endpoint === '' ? '/t/:tenant/*' : `/t/:tenant/${endpoint}`;
}
