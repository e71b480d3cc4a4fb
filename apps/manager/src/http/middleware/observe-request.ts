import type { RequestHandler, Response } from 'express';
import { type RequestFacts, runForRequest } from '../../ports/current-request.js';
import type { Telemetry } from '../../ports/telemetry.js';
import { isProbe, routeTemplateOf } from '../route-template.js';
import { requestIdOf } from './request-id.js';

/** What the request sets off belongs to it from here on: its log lines, and its part of the trace. */
export function observeRequests(telemetry: Telemetry): RequestHandler {
  return (request, response, next) => {
    // What serves it may give it another one.
    const { originalUrl } = request;
    const trace = telemetry.traceRequest({
      method: request.method,
      headers: request.headers,
      scheme: request.protocol,
      isProbe: isProbe(request.path),
    });
    const tenant = /^(?:\/\.well-known\/[a-z-]+)?\/t\/([a-z][a-z0-9-]{1,39})(?:\/|$)/.exec(request.path)?.[1];
    const facts: RequestFacts = { request_id: requestIdOf(response) };
    if (trace.traceId !== undefined) facts.trace_id = trace.traceId;
    if (trace.spanId !== undefined) facts.span_id = trace.spanId;
    if (tenant !== undefined) facts.tenant = tenant;
    response.locals['facts'] = facts;
    response.once('close', () => {
      const route = routeTemplateOf(originalUrl, (request.route as { path?: unknown } | undefined)?.path);
      trace.end({ route, status: response.statusCode, facts });
    });
    trace.run(() => runForRequest(facts, next));
  };
}

/** For what is logged of a request outside of its own course, as at its end. */
export function requestFactsOf(response: Response): RequestFacts {
  return (response.locals['facts'] as RequestFacts | undefined) ?? { request_id: requestIdOf(response) };
}
