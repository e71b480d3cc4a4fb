import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import type { AppErrorCode } from '../errors/codes.js';
import { errorDefinitions } from '../errors/codes.js';
import { toAppError } from '../errors/to-problem.js';
import { fromExpress } from '../http/middleware/error-handler.js';
import { requestIdOf } from '../http/middleware/request-id.js';
import { messagePage } from '../pages/message-page.js';
import { sendPage } from '../pages/send-page.js';

const texts: ReadonlyMap<AppErrorCode, { title: string; text: string }> = new Map([
  ['not_found', { title: 'There is nothing here', text: 'Check the address, or ask for a new link.' }],
  ['rate_limited', { title: 'Too many requests', text: 'Wait a minute, then try again.' }],
  ['tenant_unavailable', { title: 'Not available at the moment', text: 'Try again in a few minutes.' }],
]);

/** Below the issuers a browser gets a page, and everything else an error as of RFC 6749. */
export function createFrontErrors(baseUrl: string, logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    if (response.headersSent) return next(thrown);
    const error = fromExpress(thrown) ?? toAppError(thrown);
    const { status, title, detail } = errorDefinitions[error.code];
    const log = { err: error, code: error.code, request_id: requestIdOf(response) };
    if (status >= 500) logger.error(log, 'request failed');
    else logger.info(log, 'request refused');
    response.set(error.headers).set('Cache-Control', 'no-store');
    if (request.method === 'GET' && request.accepts(['json', 'html']) === 'html') {
      const message = texts.get(error.code) ?? { title, text: detail };
      // No tenant is named: which ones there are is nobody's business. Assets are served below any.
      return sendPage(
        response,
        { issuer: `${baseUrl}/t/authsec`, tenantName: 'AuthSec' },
        messagePage({ status, ...message }),
      );
    }
    response.status(status).json({ error: oauthError(error.code), error_description: detail });
  };
}

/** RFC 6749 section 4.1.2.1 and 5.2. */
export function oauthError(code: AppErrorCode): string {
  if (code === 'tenant_unavailable' || code === 'rate_limited') return 'temporarily_unavailable';
  if (code === 'internal_error') return 'server_error';
  return code === 'not_found' ? 'not_found' : 'invalid_request';
}
