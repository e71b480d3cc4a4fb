import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { call, createService, guarded, signIn, type Service } from '../support/caller.js';
import { createFakeClock, until } from '../support/fake-clock.js';
import { problem, startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let service: Service;

beforeEach(async () => {
  manager = await startFakeManager();
  manager.setGrants('ada', { roles: ['admin'], permissions: ['projects:delete'] });
  manager.setGrants('bob', { groups: ['support'] });
  service = createService(manager);
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

const redemptions = () => manager.requests.filter(({ body }) => body.includes('grant_type=authorization_code'));
const endedSids = () => [...manager.sessions.values()].filter(({ ended }) => ended !== undefined).map(({ sid }) => sid);

test('start, authenticate, and the person is known with what they hold', async () => {
  const session = service.createSession(guarded);
  let changes = 0;
  session.onChange(() => changes++);
  expect(session.state()).toEqual({ kind: 'anonymous' });

  const { sessionId, answer } = await signIn(manager, session);

  const userInfo = {
    email: 'ada@acme.example',
    sub: 'ada',
    tenant_id: 'acme',
    roles: ['admin'],
    groups: [],
    scopes: [],
    resources: [],
  };
  expect(answer).toEqual({
    status: 'authenticated',
    session_id: sessionId,
    user_info: userInfo,
    accessible_tools: ['admin_dashboard'],
  });
  expect(session.state()).toMatchObject({ kind: 'active', userInfo });
  expect(changes).toBe(1);
  expect(await call(session, 'oauth_user_info', { session_id: sessionId })).toEqual(userInfo);
});

test('the pushed request is PKCE S256, out of band, for this session, with what the client calls itself', async () => {
  const clientName = () => '  Evil\u202e\u0000 client '.padEnd(300, 'x');
  const session = service.createSession({ ...guarded, clientName, clientAddress: () => '192.0.2.7' });
  const started = await call(session, 'oauth_start');
  const { parameters } = manager.logins.get(started.authorization_url.split('/').at(-1))!;
  expect(Object.fromEntries(parameters)).toEqual({
    client_id: 'demo',
    response_type: 'code',
    response_mode: 'oob',
    redirect_uri: `${manager.issuer}/completion`,
    code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    code_challenge_method: 'S256',
    state: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    mcp_session: started.session_id,
    client_name: `Evil client ${'x'.repeat(88)}`,
    client_address: '192.0.2.7',
  });
  expect(started.session_id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(Date.parse(started.expires_at)).toBeGreaterThan(Date.now() + 590_000);
});

describe('a login is of the transport session that began it', () => {
  test('another transport session cannot use its session_id and code, and does not use them up', async () => {
    const mine = service.createSession(guarded);
    const other = service.createSession(guarded);
    const started = await call(mine, 'oauth_start');
    const code = manager.approve(started.authorization_url, 'ada');
    const stolen = { session_id: started.session_id, code };
    expect((await call(other, 'oauth_authenticate', stolen)).error).toBe('no_pending_login');
    await call(other, 'oauth_start');
    expect((await call(other, 'oauth_authenticate', stolen)).error).toBe('session_id_mismatch');
    expect(redemptions()).toHaveLength(0);
    expect(other.state().kind).toBe('anonymous');

    expect((await call(mine, 'oauth_authenticate', stolen)).status).toBe('authenticated');
    for (const tool of ['oauth_status', 'oauth_logout', 'oauth_user_info'] as const) {
      expect((await call(other, tool, { session_id: started.session_id })).error).toBe('session_id_mismatch');
    }
    expect((await call(other, 'oauth_authenticate', { session_id: started.session_id })).error).toBe(
      'session_id_mismatch',
    );
    expect(mine.state().kind).toBe('active');
  });

  test('the code of another login is of no use: the verifier is another', async () => {
    const mine = service.createSession(guarded);
    const other = service.createSession(guarded);
    const code = manager.approve((await call(mine, 'oauth_start')).authorization_url, 'ada');
    const { session_id } = await call(other, 'oauth_start');
    expect((await call(other, 'oauth_authenticate', { session_id, code })).error).toBe('code_refused');
  });

  test('a new start voids the older link', async () => {
    const session = service.createSession(guarded);
    const first = await call(session, 'oauth_start');
    const second = await call(session, 'oauth_start');
    const code = manager.approve(first.authorization_url, 'ada');
    for (const session_id of [first.session_id, second.session_id]) {
      const { error } = await call(session, 'oauth_authenticate', { session_id, code });
      expect(error).toBe(session_id === first.session_id ? 'session_id_mismatch' : 'code_refused');
    }
  });
});

describe('a code is redeemed once', () => {
  test('used again, it is refused without being sent', async () => {
    const session = service.createSession(guarded);
    const { sessionId, code } = await signIn(manager, session);
    const again = await call(session, 'oauth_authenticate', { session_id: sessionId, code });
    expect(again.error).toBe('code_already_used');
    expect(redemptions()).toHaveLength(1);
    expect(session.state().kind).toBe('active');
  });

  test('of four calls at the same moment one redeems it, and the others are told so', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => call(session, 'oauth_authenticate', { session_id, code })),
    );
    const used = 'code_already_used';
    expect(answers.map(({ status, error }) => status ?? error)).toEqual(['authenticated', used, used, used]);
    expect(session.state().kind).toBe('active');
    expect(redemptions()).toHaveLength(1);
    expect(manager.count('POST', '/v1/sessions')).toBe(1);
  });

  test('one that is refused is refused to all who bring it at the same moment, and sent once', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = `${manager.approve(authorization_url, 'ada')}x`;
    const answers = await Promise.all([1, 2, 3].map(() => call(session, 'oauth_authenticate', { session_id, code })));
    expect(answers.map(({ error }) => error)).toEqual(['code_refused', 'code_refused', 'code_refused']);
    expect(redemptions()).toHaveLength(1);
  });

  test('another code at the same moment waits', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    const right = call(session, 'oauth_authenticate', { session_id, code });
    expect((await call(session, 'oauth_authenticate', { session_id, code: 'other' })).error).toBe(
      'authentication_in_progress',
    );
    expect((await right).status).toBe('authenticated');
  });

  test('a mistyped code is refused, not sent again, and the right one still works', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    for (let time = 0; time < 2; time++) {
      expect((await call(session, 'oauth_authenticate', { session_id, code: `${code}x` })).error).toBe('code_refused');
    }
    expect(redemptions()).toHaveLength(1);
    expect((await call(session, 'oauth_authenticate', { session_id, code: ` ${code}\n` })).status).toBe(
      'authenticated',
    );
  });

  test('when nobody knows what became of it, it is not sent again', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    manager.intercept(({ body }, response) => {
      if (!body.includes('grant_type=authorization_code')) return false;
      response.destroy();
      return true;
    });
    const arguments_ = { session_id, code };
    expect((await call(session, 'oauth_authenticate', arguments_)).error).toBe('manager_unavailable');
    expect((await call(session, 'oauth_authenticate', arguments_)).error).toBe('no_pending_login');
    expect(redemptions()).toHaveLength(1);
  });

  test('a bind whose answer was lost is finished by the next call, with the same key and without another redemption', async () => {
    const session = service.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    manager.intercept(({ method, path }, response) => {
      if (method !== 'POST' || path !== '/v1/sessions') return false;
      problem(response, 503, 'tenant_unavailable');
      return true;
    });
    expect((await call(session, 'oauth_authenticate', { session_id, code })).error).toBe('manager_unavailable');
    manager.intercept(undefined);
    expect((await call(session, 'oauth_authenticate', { session_id, code: 'other' })).error).toBe('code_refused');
    expect((await call(session, 'oauth_authenticate', { session_id, code })).status).toBe('authenticated');
    const keys = manager.requests
      .filter(({ method, path }) => method === 'POST' && path === '/v1/sessions')
      .map(({ headers }) => headers['idempotency-key']);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size).toBe(1);
    expect(redemptions()).toHaveLength(1);
  });
});

describe('one login after another', () => {
  test('the old one stays until the new one is bound, and is then ended at the Manager', async () => {
    const session = service.createSession(guarded);
    const first = await signIn(manager, session, 'ada');
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    expect(session.state()).toMatchObject({ kind: 'active', userInfo: { sub: 'ada' } });
    expect(await call(session, 'oauth_status')).toMatchObject({
      status: 'authenticated',
      session_id: first.sessionId,
      pending_login: { session_id, authorization_url },
    });
    const code = manager.approve(authorization_url, 'bob');
    await call(session, 'oauth_authenticate', { session_id, code });
    expect(session.state()).toMatchObject({ kind: 'active', userInfo: { sub: 'bob' } });
    await until(() => endedSids().includes(first.sid));
    expect(endedSids()).toEqual([first.sid]);
    expect((await call(session, 'oauth_status', { session_id: first.sessionId })).error).toBe('session_id_mismatch');
  });

  test.each(['oauth_start', 'oauth_logout', 'close'] as const)(
    '%s while a login is being bound voids it, here and at the Manager',
    async (what) => {
      const session = service.createSession(guarded);
      const { session_id, authorization_url } = await call(session, 'oauth_start');
      const code = manager.approve(authorization_url, 'ada');
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      manager.intercept(async ({ method, path }) => {
        if (method === 'POST' && path === '/v1/sessions') await held;
        return false;
      });
      const authenticating = call(session, 'oauth_authenticate', { session_id, code });
      await until(() => manager.count('POST', '/v1/sessions') === 1);
      await (what === 'close' ? session.close() : call(session, what));
      release();
      expect((await authenticating).error).toBe(what === 'close' ? 'session_closed' : 'login_superseded');
      expect(session.state().kind).toBe('anonymous');
      await until(() => endedSids().length === 1);
    },
  );
});

describe('the end of a login', () => {
  test('logout ends it here and at the Manager', async () => {
    const session = service.createSession(guarded);
    const { sid, sessionId } = await signIn(manager, session);
    let changes = 0;
    session.onChange(() => changes++);
    expect((await call(session, 'oauth_logout', { session_id: sessionId })).status).toBe('signed_out');
    expect(session.state().kind).toBe('anonymous');
    expect(changes).toBe(1);
    expect(manager.sessions.get(sid)?.ended).toBe('logged_out');
    expect((await call(session, 'oauth_user_info')).error).toBe('not_signed_in');
    expect((await call(session, 'oauth_logout')).status).toBe('signed_out');
  });

  test('with the Manager away it is gone here at once, and ended there when it comes back', async () => {
    const clock = createFakeClock();
    const patient = createService(manager, { clock });
    const session = patient.createSession(guarded);
    const { sid } = await signIn(manager, session);
    manager.goAway();
    const answer = await call(session, 'oauth_logout');
    expect(answer).toMatchObject({ status: 'signed_out', message: expect.stringContaining('background') });
    expect(session.state().kind).toBe('anonymous');
    await clock.advance(60_000);
    expect(manager.sessions.get(sid)?.ended).toBeUndefined();
    manager.comeBack();
    const ended = () => manager.sessions.get(sid)?.ended !== undefined;
    for (let round = 0; round < 500 && !ended(); round++) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(manager.sessions.get(sid)?.ended).toBe('logged_out');
    await patient.close();
  });

  test('a transport session that closes takes its login with it', async () => {
    const session = service.createSession(guarded);
    const { sid } = await signIn(manager, session);
    await session.close();
    expect(session.state().kind).toBe('anonymous');
    expect(manager.sessions.get(sid)?.ended).toBe('logged_out');
    expect((await call(session, 'oauth_start')).error).toBe('session_closed');
  });

  test('close() of the service ends every login, and the poll', async () => {
    const sessions = [service.createSession(guarded), service.createSession(guarded)];
    for (const session of sessions) await signIn(manager, session);
    await until(() => manager.waitingPolls() === 1);
    await service.close();
    expect(endedSids()).toHaveLength(2);
    await until(() => manager.waitingPolls() === 0);
    expect(() => service.createSession(guarded)).toThrow('closed');
  });

  test('close() of the service waits for the logins that are being ended already', async () => {
    const session = service.createSession(guarded);
    const { sid } = await signIn(manager, session);
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      manager.intercept(({ method }) => {
        if (method !== 'DELETE') return false;
        resolve();
        return new Promise((go) => (answer = () => go(false)));
      });
    });
    const ended = session.close();
    await asked;
    const stopped = service.close().then(() => manager.sessions.get(sid)?.ended);
    setImmediate(answer);
    expect(await stopped).toBe('logged_out');
    await ended;
  });

  test('a link that waited longer than ten minutes is over', async () => {
    const clock = createFakeClock();
    const patient = createService(manager, { clock });
    const session = patient.createSession(guarded);
    const { session_id, authorization_url } = await call(session, 'oauth_start');
    const code = manager.approve(authorization_url, 'ada');
    await clock.advance(599_999);
    expect((await call(session, 'oauth_authenticate', { session_id })).status).toBe('pending');
    await clock.advance(1);
    expect((await call(session, 'oauth_authenticate', { session_id, code })).error).toBe('login_expired');
    expect((await call(session, 'oauth_status')).status).toBe('signed_out');
    await patient.close();
  });
});
