import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Clock } from '../../ports/clock.js';
import { isProbe } from '../route-template.js';
import { requestFactsOf } from './observe-request.js';

/** One line a request: method, place, status and duration. Never a header, a query, a body or what stands in a path. */
export function createRequestLog(logger: Logger, clock: Clock): RequestHandler {
  return (request, response, next) => {
    const startedAt = clock.monotonic();
    response.once('close', () => {
      const path = loggablePath(request.originalUrl, (request.route as { path?: unknown } | undefined)?.path);
      logger[isProbe(path) ? 'debug' : 'info'](
        {
          ...requestFactsOf(response),
          method: request.method,
          path,
          status: response.statusCode,
          ms: Math.round(clock.monotonic() - startedAt),
          ...(!response.writableFinished && { gone: true }),
        },
        'request',
      );
    });
    next();
  };
}

/** The route's template, or tenant and endpoint below an issuer: ids of logins and pasted tokens stay out of the log. */
export function loggablePath(url: string, template: unknown): string {
  const path = url.split('?', 1)[0] ?? '';
  const below = /^\/t\/([a-z][a-z0-9-]{1,39})\/([A-Za-z.-]{1,24})(\/|$)/.exec(path);
  if (below) return `/t/${below[1]}/${below[2]}${below[3] ? '/…' : ''}`;
  if (typeof template === 'string') return template;
  return isProbe(path) ? path : '(unmatched)';
}
