import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { call, createService, guarded, local, signIn, type Service } from '../support/caller.js';
import { until } from '../support/fake-clock.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let service: Service;

async function start(isPublic = false): Promise<void> {
  manager = await startFakeManager({ isPublic });
  manager.setGrants('ada', { roles: ['admin'] });
  service = createService(manager);
}
beforeEach(() => start());
afterEach(async () => {
  await service.close();
  await manager.close();
});

const newSession = () => service.createSession(guarded);
type Session = ReturnType<typeof newSession>;
const statusOf = (session: Session) => call(session, 'oauth_status');

/** Signed in, and ended at the Manager. */
async function ended(reason: string) {
  const session = newSession();
  const login = await signIn(manager, session);
  await until(() => manager.waitingPolls() === 1);
  manager.endSession(login.sid, reason);
  await until(() => session.state().kind !== 'active');
  return { session, ...login };
}

test.each([
  ['revoked', 'signed_out', 'revoked', /revoked/],
  ['logged_out', 'signed_out', 'logged_out', /signed out elsewhere/],
  ['user_disabled', 'signed_out', 'user_disabled', /disabled/],
  ['expired', 'session_expired', 'expired', /time was over/],
  ['of_a_later_manager', 'signed_out', 'unknown', /does not confirm/],
  ['toString', 'signed_out', 'unknown', /does not confirm/],
])('a login that ended (%s) says so, since when, and what to do', async (reason, status, told, words) => {
  const before = Date.now();
  const { session } = await ended(reason);
  const said = await statusOf(session);
  expect(said).toMatchObject({
    status,
    login_ended: { reason: told, at: expect.any(String) },
    message: expect.stringMatching(words),
    next_step: expect.stringContaining('oauth_start'),
  });
  const at = Date.parse((said['login_ended'] as { at: string }).at);
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(Date.now());
});

test('it is told to the MCP session of that login alone, and names nobody', async () => {
  const never = newSession();
  const signedIn = newSession();
  await signIn(manager, signedIn);
  const { session, sessionId, sid } = await ended('revoked');
  const said = JSON.stringify(await statusOf(session));
  for (const secret of ['ada', 'acme', sid, sessionId]) expect(said).not.toContain(secret);

  expect(await statusOf(never)).toEqual({
    status: 'signed_out',
    session_id: null,
    message: 'Nobody is signed in. Call oauth_start to begin.',
  });
  expect(await call(never, 'oauth_status', { session_id: sessionId })).toMatchObject({ error: 'session_id_mismatch' });
  expect(await statusOf(signedIn)).not.toHaveProperty('login_ended');
});

test('the session_id of the login that ended still is one of this MCP session, and signs nobody in', async () => {
  const { session, sessionId, code } = await ended('revoked');
  const named = { session_id: sessionId };
  expect(await call(session, 'oauth_status', named)).toMatchObject({ session_id: null, login_ended: {} });
  expect(await call(session, 'oauth_user_info', named)).toMatchObject({ error: 'not_signed_in' });
  expect(await call(session, 'oauth_authenticate', { ...named, code })).toMatchObject({ error: 'no_pending_login' });
});

test('while the next login waits it is still told, and that login is what to go on with', async () => {
  const { session } = await ended('revoked');
  await call(session, 'oauth_start');
  const said = await statusOf(session);
  expect(said).toMatchObject({ status: 'pending', login_ended: { reason: 'revoked' } });
  expect(said['message']).toContain('oauth_authenticate');
  expect(said).not.toHaveProperty('next_step');
});

test('the next login takes it away', async () => {
  const { session } = await ended('revoked');
  await signIn(manager, session);
  const said = await statusOf(session);
  expect(said).toMatchObject({ status: 'authenticated', message: 'Signed in.' });
  expect(said).not.toHaveProperty('login_ended');
  expect(said).not.toHaveProperty('next_step');
});

test.each(['oauth_logout of the ended login', 'oauth_logout of a living one'])(
  '%s leaves nothing to tell',
  async (kind) => {
    const session = kind.endsWith('living one') ? newSession() : (await ended('expired')).session;
    if (kind.endsWith('living one')) await signIn(manager, session);
    await call(session, 'oauth_logout');
    expect(await statusOf(session)).toEqual({
      status: 'signed_out',
      session_id: null,
      message: 'Nobody is signed in. Call oauth_start to begin.',
    });
  },
);

test('a public client whose login cannot be refreshed any more claims no reason', async () => {
  await service.close();
  await manager.close();
  await start(true);
  const session = service.createSession(local());
  manager.intercept(({ body, headers, path }, response) => {
    if (body.includes('grant_type=refresh_token')) {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
      return true;
    }
    if (!path.startsWith('/v1/changes') || !headers.authorization) return false;
    response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"code":"invalid_token"}');
    return true;
  });
  const started = await call(session, 'oauth_start');
  await (await fetch(manager.sendBack(started['authorization_url'], 'ada'))).text();
  await until(() => session.state().kind === 'anonymous');
  expect(await statusOf(session)).toMatchObject({ status: 'signed_out', login_ended: { reason: 'unknown' } });
});
