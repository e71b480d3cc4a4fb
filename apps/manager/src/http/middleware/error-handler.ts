import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { AppError } from '../../errors/app-error.js';
import type { AppErrorCode } from '../../errors/codes.js';
import { toAppError, toProblem } from '../../errors/to-problem.js';
import { requestFactsOf } from './observe-request.js';
import { requestIdOf } from './request-id.js';

/** Whatever no route took. */
export const notFound: RequestHandler = (request) => {
  throw new AppError('not_found', `no route for ${request.method}`);
};

/** The one place that turns errors into answers: RFC 9457 problem bodies. */
export function createErrorHandler(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, _request, response, _next) => {
    const error = fromExpress(thrown) ?? toAppError(thrown);
    const requestId = requestIdOf(response);
    const problem = toProblem(error, requestId);
    const log = { ...requestFactsOf(response), err: error, code: error.code };
    if (problem.status >= 500) logger.error(log, 'request failed');
    else logger.info(log, 'request refused');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.status(problem.status).set(error.headers).set('Cache-Control', 'no-store');
    response.type('application/problem+json').send(JSON.stringify(problem));
  };
}

const bodyErrors = new Map<string, AppErrorCode>([
  ['entity.too.large', 'payload_too_large'],
  ['encoding.unsupported', 'unsupported_media_type'],
  ['charset.unsupported', 'unsupported_media_type'],
  ['entity.parse.failed', 'invalid_request'],
  ['request.size.invalid', 'invalid_request'],
  ['request.aborted', 'invalid_request'],
  ['stream.encoding.set', 'internal_error'],
]);

/** Errors of Express and its body parser; their messages may quote the body, so nothing of them is kept. */
export function fromExpress(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError || typeof thrown !== 'object' || thrown === null) return undefined;
  const { type, status } = thrown as { type?: unknown; status?: unknown };
  const code = typeof type === 'string' ? bodyErrors.get(type) : undefined;
  if (code) return new AppError(code, `the body could not be read: ${String(type)}`);
  if (thrown instanceof URIError && status === 400)
    return new AppError('invalid_request', 'the path cannot be decoded');
  return undefined;
}
