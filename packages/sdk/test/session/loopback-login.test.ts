import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CallerSession } from '../../src/session/caller-session.js';
import { call, createService, guarded, local, type Service } from '../support/caller.js';
import { createFakeClock, until } from '../support/fake-clock.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let service: Service;
let session: CallerSession;

beforeEach(async () => {
  manager = await startFakeManager({ isPublic: true });
  service = createService(manager);
  session = service.createSession(local());
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

/** The browser: the heading of the page that it ends on. */
const visit = async (url: string) => /<h1>(.*?)<\/h1>/.exec(await (await fetch(url)).text())?.[1];
/** Whoever was given the port since then is not us. */
const isGone = (url: string) =>
  visit(url).then(
    (heading) => heading === undefined,
    () => true,
  );
const parametersOf = (url: string) => manager.logins.get(url.split('/').at(-1)!)!.parameters;

describe('a login over stdio, as a public client', () => {
  test('ends on loopback: the browser comes back, and the call that waits has the answer', async () => {
    const started = await call(session, 'oauth_start');
    expect(started.instructions).toMatch(/same computer.*Nothing has to be copied/);
    const parameters = Object.fromEntries(parametersOf(started.authorization_url));
    expect(parameters).toMatchObject({ response_mode: 'query', mcp_session: started.session_id });
    expect(parameters['redirect_uri']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);

    const waiting = call(session, 'oauth_authenticate', { session_id: started.session_id });
    expect(await visit(manager.sendBack(started.authorization_url, 'ada'))).toBe('You are signed in');
    expect(await waiting).toMatchObject({
      status: 'authenticated',
      session_id: started.session_id,
      user_info: { email: 'ada@acme.example' },
    });
    expect(session.state().kind).toBe('active');
  });

  test('is there when the browser came back, though nobody waits', async () => {
    const started = await call(session, 'oauth_start');
    await visit(manager.sendBack(started.authorization_url, 'ada'));
    expect(session.state().kind).toBe('active');
    expect(await call(session, 'oauth_authenticate', { session_id: started.session_id })).toMatchObject({
      status: 'authenticated',
    });
  });

  test('asks the Manager with the token of the session only, and never with a secret', async () => {
    const started = await call(session, 'oauth_start');
    await visit(manager.sendBack(started.authorization_url, 'ada'));
    await until(() => manager.waitingPolls() === 1);
    const asked = manager.requests.filter(({ path }) => path.startsWith('/v1/'));
    expect(asked.length).toBeGreaterThan(1);
    for (const { headers } of asked) expect(headers.authorization).toMatch(/^Bearer api-session-/);
    const others = manager.requests.filter(({ path }) => !path.startsWith('/v1/'));
    for (const { headers } of others) expect(headers.authorization).toBeUndefined();
  });

  test('gets its next token by the refresh token, which is another each time', async () => {
    manager.setSessionTokenSeconds(0.05);
    const started = await call(session, 'oauth_start');
    await visit(manager.sendBack(started.authorization_url, 'ada'));
    await until(() => manager.waitingPolls() === 1);
    manager.setGrants('ada', { roles: ['admin'] });
    await until(() => {
      const state = session.state();
      return state.kind === 'active' && state.userInfo.roles.includes('admin');
    });
    const spent = manager.requests
      .map(({ body }) => new URLSearchParams(body).get('refresh_token'))
      .filter((token) => token !== null);
    expect(spent.length).toBeGreaterThan(0);
    expect(new Set(spent).size).toBe(spent.length);
  });

  test('that is ended at the Manager is over here', async () => {
    const started = await call(session, 'oauth_start');
    await visit(manager.sendBack(started.authorization_url, 'ada'));
    await until(() => manager.waitingPolls() === 1);
    manager.endSession([...manager.sessions.keys()][0]!, 'revoked');
    await until(() => session.state().kind === 'anonymous');
  });

  test('whose refresh token is refused is over here', async () => {
    manager.setSessionTokenSeconds(0.05);
    const started = await call(session, 'oauth_start');
    await visit(manager.sendBack(started.authorization_url, 'ada'));
    for (const one of manager.sessions.values()) one.refresh = { current: 'another', spent: new Set() };
    manager.releasePolls(0);
    await until(() => session.state().kind === 'anonymous');
  });

  test('is ended at the Manager by oauth_logout, and by the end of the process', async () => {
    for (const end of [() => call(session, 'oauth_logout'), () => session.close()]) {
      session = service.createSession(local());
      const started = await call(session, 'oauth_start');
      await visit(manager.sendBack(started.authorization_url, 'ada'));
      await end();
      expect([...manager.sessions.values()].at(-1)).toMatchObject({ ended: 'logged_out' });
    }
  });
});

describe('while it is pending', () => {
  test('oauth_authenticate waits for 25 seconds, and may be called again', async () => {
    const clock = createFakeClock();
    const timed = createService(manager, { clock });
    const own = timed.createSession(local());
    const started = await call(own, 'oauth_start');
    const args = { session_id: started.session_id };
    let answer: Record<string, unknown> | undefined;
    const waiting = call(own, 'oauth_authenticate', args).then((said) => (answer = said));
    await clock.advance(24_900);
    expect(answer).toBeUndefined();
    await clock.advance(200);
    expect(await waiting).toMatchObject({ status: 'pending', session_id: started.session_id });
    const again = call(own, 'oauth_authenticate', args);
    await visit(manager.sendBack(started.authorization_url, 'ada'));
    expect(await again).toMatchObject({ status: 'authenticated' });
    await timed.close();
  });

  test('a client that gives up stops waiting, and the login goes on', async () => {
    const started = await call(session, 'oauth_start');
    const args = { session_id: started.session_id };
    const giveUp = new AbortController();
    const waiting = session.callOAuthTool('oauth_authenticate', args, giveUp.signal);
    giveUp.abort();
    expect((await waiting).structuredContent).toMatchObject({ status: 'pending' });
    expect(await visit(manager.sendBack(started.authorization_url, 'ada'))).toBe('You are signed in');
  });

  test('the person may refuse, and the one who waits is told so', async () => {
    const started = await call(session, 'oauth_start');
    const args = { session_id: started.session_id };
    const waiting = call(session, 'oauth_authenticate', args);
    const back = manager.sendBack(started.authorization_url, 'ada', { error: 'access_denied' });
    expect(await visit(back)).toBe('You are not signed in');
    expect(await waiting).toMatchObject({ error: 'access_denied' });
    expect(await call(session, 'oauth_authenticate', args)).toMatchObject({ error: 'access_denied' });
    expect(session.state().kind).toBe('anonymous');
  });

  test('a new start closes the port of the one before', async () => {
    const first = await call(session, 'oauth_start');
    const back = manager.sendBack(first.authorization_url, 'ada');
    const second = await call(session, 'oauth_start');
    expect(await isGone(back)).toBe(true);
    expect(await visit(manager.sendBack(second.authorization_url, 'ada'))).toBe('You are signed in');
  });

  test.each(['oauth_logout', 'the end of the session', 'a push that fails'])('%s closes the port', async (how) => {
    const started = await call(session, 'oauth_start');
    let back = manager.sendBack(started.authorization_url, 'ada');
    if (how === 'oauth_logout') await call(session, 'oauth_logout');
    else if (how === 'the end of the session') await session.close();
    else {
      manager.goAway();
      expect(await call(session, 'oauth_start')).toMatchObject({ error: 'manager_unavailable' });
      back = new URLSearchParams(manager.requests.at(-1)?.body).get('redirect_uri')!;
    }
    expect(await isGone(back)).toBe(true);
  });

  test('what comes back for a login of another process is not taken', async () => {
    const other = service.createSession(local());
    const [own, foreign] = [await call(session, 'oauth_start'), await call(other, 'oauth_start')];
    const stolen = new URL(manager.sendBack(foreign.authorization_url, 'mallory'));
    const back = new URL(parametersOf(own.authorization_url).get('redirect_uri')!);
    back.search = stolen.search;
    expect(await visit(back.href)).toBe('There is nothing here');
    expect(session.state().kind).toBe('anonymous');
    expect(other.state().kind).toBe('anonymous');
  });

  test('a bind that got no answer is repeated by the next oauth_authenticate', async () => {
    const started = await call(session, 'oauth_start');
    manager.intercept(({ path, method }, response) => {
      if (path !== '/v1/sessions' || method !== 'POST') return false;
      response.socket?.destroy();
      return true;
    });
    expect(await visit(manager.sendBack(started.authorization_url, 'ada'))).toBe('You are not signed in');
    manager.intercept(undefined);
    expect(await call(session, 'oauth_authenticate', { session_id: started.session_id })).toMatchObject({
      status: 'authenticated',
    });
  });

  test('the code may also be carried by hand, where the browser could not come back', async () => {
    const started = await call(session, 'oauth_start');
    const code = new URL(manager.sendBack(started.authorization_url, 'ada')).searchParams.get('code')!;
    expect(await call(session, 'oauth_authenticate', { session_id: started.session_id, code })).toMatchObject({
      status: 'authenticated',
    });
  });
});

describe('where a login ends', () => {
  const modeOf = async (own: Service, on: Parameters<Service['createSession']>[0]) => {
    const started = await call(own.createSession(on), 'oauth_start');
    const mode = parametersOf(started.authorization_url).get('response_mode');
    await own.close();
    return mode;
  };

  test.each([
    ['auto', local(), 'query'],
    ['auto', guarded, 'oob'],
    ['loopback', guarded, 'query'],
    ['page', local(), 'oob'],
  ] as const)('of a public client: %s', async (login, on, mode) => {
    expect(await modeOf(createService(manager, { login }), on)).toBe(mode);
  });

  test('of a client with a secret, over stdio: on the page, unless told', async () => {
    const secret = await startFakeManager();
    const started = await call(createService(secret).createSession(local()), 'oauth_start');
    expect(secret.logins.get(started.authorization_url.split('/').at(-1)!)!.parameters.get('response_mode')).toBe(
      'oob',
    );
    await secret.close();
  });
});
