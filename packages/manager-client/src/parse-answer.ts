import type { z } from 'zod';
import { problemSchema } from './contract/problem.js';
import { ManagerClientError } from './manager-client-error.js';
import { parseRetryAfter } from './retry.js';
import type { TransportResponse } from './transport.js';

const json = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The answer of a route: exactly one of its statuses and exactly its shape; anything else throws. */
export function parseAnswer<R extends z.ZodType>(
  response: TransportResponse,
  expected: { status: number; createdStatus?: number; response?: R | undefined },
): z.output<R> {
  if (response.status !== expected.status && response.status !== expected.createdStatus) throw toError(response);
  if (!expected.response) {
    if (response.body !== '') throw invalid(response, 'a body where none is expected');
    return undefined as z.output<R>;
  }
  const parsed = expected.response.safeParse(parseJson(response));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(response, `not what the contract says at /${issue?.path.map(String).join('/')} (${issue?.code})`);
  }
  return parsed.data;
}

/** The body as JSON; throws `invalid_response` unless it is declared as JSON and parses. */
export function parseJson(response: TransportResponse): unknown {
  if (!json.test(response.header('content-type') ?? '')) throw invalid(response, 'not JSON');
  try {
    return JSON.parse(response.body);
  } catch {
    throw invalid(response, 'not valid JSON');
  }
}

/** What an answer that is not a success says: its problem body's code, else `invalid_response`. */
export function toError(response: TransportResponse): ManagerClientError {
  let body: unknown;
  try {
    body = parseJson(response);
  } catch {
    return invalid(response, `status ${response.status} without a problem body`);
  }
  const problem = problemSchema.safeParse(body);
  if (!problem.success || problem.data.status !== response.status || response.status < 400) {
    return invalid(response, `status ${response.status} without a problem body`);
  }
  const { code, title, detail, request_id: requestId, errors } = problem.data;
  return new ManagerClientError(code, `${title}${detail ? `: ${detail}` : ''}`.slice(0, 500), {
    status: response.status,
    requestId,
    fields: errors,
    retryAfterMs: retryAfter(response),
  });
}

/** An answer that cannot be relied on, whatever it says. */
export function invalid(response: TransportResponse, what: string): ManagerClientError {
  return new ManagerClientError('invalid_response', `the Manager's answer is ${what}`, {
    status: response.status,
    retryAfterMs: retryAfter(response),
  });
}

function retryAfter(response: TransportResponse): number | undefined {
  return parseRetryAfter(response.header('retry-after'), Date.now());
}
