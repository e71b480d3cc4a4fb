import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { call, createService, guarded, type Service } from '../support/caller.js';
import { json, startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let service: Service;

beforeEach(async () => {
  manager = await startFakeManager();
  manager.setGrants('ada', { roles: ['admin'] });
  service = createService(manager);
});
afterEach(async () => {
  manager.comeBack();
  await service.close();
  await manager.close();
});

const answers: [string, (response: ServerResponse) => void][] = [
  ['an error page', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>OK</html>')],
  [
    'an error page with status 201',
    (response) => void response.writeHead(201, { 'content-type': 'text/html' }).end('<html>'),
  ],
  ['{}', (response) => json(response, 201, {})],
  ['{} with status 200', (response) => json(response, 200, {})],
  ['allowed: "true"', (response) => json(response, 201, { allowed: 'true' })],
  [
    'a cut-off one',
    (response) => void response.writeHead(201, { 'content-type': 'application/json' }).end('{"status":"acti'),
  ],
  [
    'a connection that breaks in the middle',
    (response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': 1_000 });
      response.write('{"status":"active"', () => response.destroy());
    },
  ],
  ['a late one', () => {}],
  ['a redirect', (response) => void response.writeHead(307, { location: '/elsewhere' }).end()],
  ['one without end', (response) => endless(response)],
];

function endless(response: ServerResponse): void {
  response.writeHead(201, { 'content-type': 'application/json' });
  const more = () => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

function answerOn(method: string, path: string, answer: (response: ServerResponse) => void): void {
  manager.intercept((request, response) => {
    if (request.method !== method || request.path !== path) return false;
    answer(response);
    return true;
  });
}

describe.each(answers)('%s of the Manager signs nobody in', (kind, answer) => {
  // Only where a late answer is waited for is the limit short.
  beforeEach(() => {
    if (kind === 'a late one') service = createService(manager, { timeoutMs: 1_000 });
  });

  test('where the login is pushed', async () => {
    const session = service.createSession(guarded);
    answerOn('POST', '/t/acme/go', answer);
    expect((await call(session, 'oauth_start')).error).toBe('manager_unavailable');
    expect((await call(session, 'oauth_status')).status).toBe('signed_out');
  });

  test('where the code is redeemed', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    answerOn('POST', '/t/acme/token', answer);
    expect((await call(session, 'oauth_authenticate', { session_id, code })).error).toBe('manager_unavailable');
    expect(session.state().kind).toBe('anonymous');
  });

  test('where the login is bound', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    answerOn('POST', '/v1/sessions', answer);
    expect((await call(session, 'oauth_authenticate', { session_id, code })).error).toBe('manager_unavailable');
    expect(session.state().kind).toBe('anonymous');
  });
});

describe('a bind that answers with something else', () => {
  test.each([
    ['another person', { sub: 'eve' }],
    ['another session', { sid: 'another-session-id' }],
    ['another tenant', { tenant_id: 'globex' }],
    ['a lease of a year', { lease_seconds: 31_536_000 }],
    ['all rights at once', { grants: '*' }],
  ])('%s signs nobody in', async (_, change) => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    answerOn('POST', '/v1/sessions', (response) => {
      const [bound] = manager.sessions.values();
      const grants = { roles: [], groups: [], scopes: [], resources: [], permissions: [] };
      const active = { status: 'active', sid: bound?.sid, tenant_id: 'acme', sub: 'ada', email: 'a@b.example', grants };
      json(response, 201, { ...active, lease_seconds: 30, horizon_seconds: 60, policy_version: '1', ...change });
    });
    expect((await call(session, 'oauth_authenticate', { session_id, code })).error).toBe('manager_unavailable');
    expect(session.state().kind).toBe('anonymous');
  });
});

test.each([
  ['a URL elsewhere', { authorization_url: 'https://evil.example/go/x', expires_in: 600 }],
  ['a script', { authorization_url: 'javascript:alert(1)', expires_in: 600 }],
  ['a path that leads away', { authorization_url: '/go/../../x', expires_in: 600 }],
  ['no lifetime', { authorization_url: '/go/x' }],
  ['a lifetime below zero', { authorization_url: '/go/x', expires_in: -1 }],
  ['no audience', { authorization_url: '/go/x', expires_in: 600, audience: undefined }],
])('a pushed login that answers with %s is none', async (_, answer) => {
  const session = service.createSession(guarded);
  answerOn('POST', '/t/acme/go', (response) => {
    const url = answer.authorization_url.startsWith('/')
      ? manager.issuer + answer.authorization_url
      : answer.authorization_url;
    json(response, 201, { audience: 'urn:x', ...answer, authorization_url: url });
  });
  expect((await call(session, 'oauth_start')).error).toBe('manager_unavailable');
});

test('a client that the Manager does not know: the author is told, and the caller that the operator has to look', async () => {
  const stranger = createService(manager, { clientSecret: 'wrong' });
  expect((await call(stranger.createSession(guarded), 'oauth_start')).error).toBe('login_refused');
  expect(JSON.stringify(stranger.lines)).toContain('invalid_client');
  await stranger.close();
});

test('an application that is refused while its code is redeemed is not told to try again, and its author why', async () => {
  const session = service.createSession(guarded);
  const { session_id, authorization_url } = await call(session, 'oauth_start');
  const code = manager.approve(authorization_url, 'ada');
  answerOn('POST', '/t/acme/token', (response) => {
    response.setHeader('WWW-Authenticate', `Basic realm="${manager.issuer}", error="invalid_client"`);
    json(response, 401, { error: 'invalid_client' });
  });
  expect((await call(session, 'oauth_authenticate', { session_id, code })).error).toBe('login_refused');
  expect(JSON.stringify(service.lines)).toContain('invalid_client');
});
