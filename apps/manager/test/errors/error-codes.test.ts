import { readFileSync } from 'node:fs';
import { problemSchema, wireCodes } from '@authsec/manager-client/contract';
import { expect, test } from '@jest/globals';
import { AppError } from '../../src/errors/app-error.js';
import { type AppErrorCode, errorDefinitions } from '../../src/errors/codes.js';
import { toAppError, toProblem } from '../../src/errors/to-problem.js';
import { contractRoutes } from '../../src/http/routes.js';

const docs = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
const documented = [...docs.matchAll(/^## `(\w+)`\n\n(\d{3})\. /gm)].map((match) => [match[1], Number(match[2])]);

test('codes.ts, docs/errors.md and the contract have the same codes, with the same statuses', () => {
  const defined = Object.entries(errorDefinitions).map(([code, { status }]) => [code, status]);
  expect(documented.map(String).toSorted()).toEqual(defined.map(String).toSorted());
  expect(Object.keys(errorDefinitions).toSorted()).toEqual([...wireCodes].toSorted());
  expect([...docs.matchAll(/^## /gm)]).toHaveLength(documented.length);
});

test('what a route of the contract says it may answer is in the table', () => {
  const named = new Set(contractRoutes().flatMap((route) => route.errors));
  expect([...named].filter((code) => !(code in errorDefinitions))).toEqual([]);
});

test('each problem is what the contract says, and its detail tells nothing of the error itself', () => {
  for (const code of Object.keys(errorDefinitions) as AppErrorCode[]) {
    const error = new AppError(code, 'password hunter2 of tenant acme', { fields: [{ pointer: '/a', detail: 'b' }] });
    const problem = problemSchema.strict().parse(toProblem(error, 'an-id'));
    expect(problem).toMatchObject({ code, status: errorDefinitions[code].status, request_id: 'an-id' });
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|acme/);
  }
});

test('a foreign error is internal_error, a database that is down tenant_unavailable, whatever was thrown', () => {
  expect(toAppError(new TypeError('x')).code).toBe('internal_error');
  expect(toAppError('a string').code).toBe('internal_error');
  expect(toAppError(undefined).code).toBe('internal_error');
  expect(toAppError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })).code).toBe('tenant_unavailable');
  const own = new AppError('conflict', 'x');
  expect(toAppError(own)).toBe(own);
});
