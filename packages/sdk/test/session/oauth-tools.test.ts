import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OAuthToolName } from '../../src/session/caller-session.js';
import { loginErrorCodes } from '../../src/authsec-error.js';
import { errorTexts } from '../../src/oauth-tools/error-texts.js';
import { call, createService, guarded, signIn, type Service } from '../support/caller.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let service: Service;

beforeEach(async () => {
  manager = await startFakeManager();
  manager.setGrants('ada', { roles: ['admin'] });
  service = createService(manager);
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

test('the five tools are defined in their order, each with closed input and with an output schema', () => {
  const { oauthTools } = service.createSession(guarded);
  expect(oauthTools.map(({ name }) => name)).toEqual([
    'oauth_start',
    'oauth_authenticate',
    'oauth_status',
    'oauth_logout',
    'oauth_user_info',
  ]);
  for (const tool of oauthTools) {
    expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(tool.outputSchema).toMatchObject({ type: 'object' });
    expect(tool.description.length).toBeGreaterThan(20);
  }
});

describe('arguments', () => {
  const session_id = 'x';
  test.each<[string, OAuthToolName, Record<string, unknown>, string]>([
    ['an unknown one', 'oauth_start', { scope: 'all' }, '"scope": no such argument'],
    ['one that every object has', 'oauth_start', { constructor: 'x' }, '"constructor": no such argument'],
    [
      '__proto__',
      'oauth_status',
      JSON.parse('{"__proto__":"x"}') as object as Record<string, unknown>,
      '"__proto__": no such argument',
    ],
    ['a missing one', 'oauth_authenticate', {}, 'session_id: is required'],
    ['a number', 'oauth_authenticate', { session_id: 7 }, 'session_id: must be a string'],
    ['null', 'oauth_authenticate', { session_id, code: null }, 'code: must be a string'],
    ['an empty one', 'oauth_authenticate', { session_id, code: ' ' }, 'code: must not be empty'],
    [
      'one that is too long',
      'oauth_authenticate',
      { session_id, code: 'x'.repeat(3_000) },
      'code: must not be longer than 2048 characters',
    ],
    [
      'a control character',
      'oauth_authenticate',
      { session_id, code: 'a\nb' },
      'code: has characters that cannot belong to it',
    ],
    ['an array', 'oauth_logout', { session_id: ['x'] }, 'session_id: must be a string'],
  ])('%s is refused by name', async (_, tool, args, message) => {
    const session = service.createSession(guarded);
    expect(await call(session, tool, args)).toMatchObject({ error: 'invalid_arguments', message });
  });
});

test('every error has words of its own, that say what to do', () => {
  for (const code of loginErrorCodes) {
    expect(errorTexts[code].message).toMatch(/^[A-Z].{10,}\.$/);
    expect(errorTexts[code].nextStep).toMatch(/^[A-Z].{10,}\.$/);
  }
});

test('without a transport session all five answer session_required, and nothing is sent', async () => {
  const session = service.createSession({ ...guarded, hasTransportSession: () => false });
  for (const { name } of session.oauthTools) {
    expect(await call(session, name as OAuthToolName)).toMatchObject({ error: 'session_required' });
  }
  expect(manager.requests).toEqual([]);
});

test('authenticate without a code tells how to go on, and who is signed in afterwards', async () => {
  const session = service.createSession(guarded);
  const { session_id, authorization_url, expires_at } = await call(session, 'oauth_start');
  const pending = await call(session, 'oauth_authenticate', { session_id });
  expect(pending).toMatchObject({ status: 'pending', session_id, expires_at });
  expect(await call(session, 'oauth_authenticate', { session_id: 'other' })).toMatchObject({
    error: 'session_id_mismatch',
  });
  const code = manager.approve(authorization_url, 'ada');
  await call(session, 'oauth_authenticate', { session_id, code });
  expect(await call(session, 'oauth_authenticate', { session_id })).toMatchObject({
    status: 'authenticated',
    session_id,
  });
});

test('a pasted token is not taken', async () => {
  const session = service.createSession(guarded);
  const { session_id } = await call(session, 'oauth_start');
  const jwt_token = await manager.signToken({ sub: 'ada', sid: 'some-session-id', mcp_session: session_id });
  expect((await call(session, 'oauth_authenticate', { session_id, jwt_token })).error).toBe('paste_token_not_enabled');
  expect(manager.count('POST', '/v1/sessions')).toBe(0);
});

test('status goes from signed out through pending to authenticated, and back', async () => {
  const session = service.createSession(guarded);
  expect(await call(session, 'oauth_status')).toMatchObject({ status: 'signed_out', session_id: null });
  const { session_id } = await call(session, 'oauth_start');
  expect(await call(session, 'oauth_status', { session_id })).toMatchObject({ status: 'pending', session_id });
  const { sessionId } = await signIn(manager, session);
  expect(await call(session, 'oauth_status', { session_id: sessionId })).toMatchObject({
    status: 'authenticated',
    session_id: sessionId,
    user_info: { sub: 'ada' },
    accessible_tools: ['admin_dashboard'],
  });
  await call(session, 'oauth_logout');
  expect(await call(session, 'oauth_status')).toMatchObject({ status: 'signed_out', session_id: null });
});

test('nothing secret is in a result or in the log', async () => {
  const session = service.createSession(guarded);
  const results = [];
  const started = await call(session, 'oauth_start');
  const code = manager.approve(started.authorization_url, 'ada');
  results.push(
    started,
    await call(session, 'oauth_authenticate', { session_id: started.session_id, code: 'wrong-code' }),
  );
  results.push(await call(session, 'oauth_authenticate', { session_id: started.session_id, code }));
  results.push(await call(session, 'oauth_status'), await call(session, 'oauth_user_info'));
  manager.goAway();
  results.push(await call(session, 'oauth_start'), await call(session, 'oauth_logout'));
  manager.comeBack();
  const form = (name: string) => manager.requests.map(({ body }) => new URLSearchParams(body).get(name) ?? '');
  const tokens = manager.requests.flatMap(({ headers, body }) => [
    headers.authorization?.split(' ')[1] ?? '',
    body.startsWith('{') ? ((JSON.parse(body) as { access_token?: string }).access_token ?? '') : '',
  ]);
  const secrets = [manager.clientSecret, code, 'wrong-code', ...form('code_verifier'), ...form('state'), ...tokens];
  const held = secrets.filter((secret) => secret !== '');
  expect(held.length).toBeGreaterThan(8);
  for (const said of [JSON.stringify(results), JSON.stringify(service.lines)]) {
    for (const secret of held) expect(said).not.toContain(secret);
  }
});
