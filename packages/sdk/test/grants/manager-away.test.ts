import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { call, createService, guarded, signIn, type Service } from '../support/caller.js';
import { createFakeClock, until, type FakeClock } from '../support/fake-clock.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let clock: FakeClock;
let service: Service;

beforeEach(async () => {
  manager = await startFakeManager();
  manager.setGrants('ada', { roles: ['admin'] });
  clock = createFakeClock();
  service = createService(manager, { clock });
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

test('over real HTTP: the lease outlives the Manager, then policy_unavailable, then back by itself with what holds now', async () => {
  const session = service.createSession(guarded);
  await signIn(manager, session);
  await until(() => manager.count('POST', '/v1/sessions/renew') === 1);
  await clock.advance(200);
  await until(() => manager.waitingPolls() === 1);

  manager.goAway();
  await clock.advance(29_000);
  expect(session.state().kind).toBe('active');
  await clock.advance(2_000);
  expect(session.state()).toMatchObject({ kind: 'unjudgeable', code: 'policy_unavailable' });
  expect(await call(session, 'oauth_status')).toMatchObject({ status: 'policy_unavailable' });
  expect(await call(session, 'oauth_user_info')).toMatchObject({ error: 'policy_unavailable' });

  manager.setGrants('ada', { roles: ['developer'] });
  manager.comeBack();
  const developer = () => {
    const state = session.state();
    return state.kind === 'active' && state.userInfo.roles[0] === 'developer';
  };
  for (let round = 0; round < 2_000 && !developer(); round++) {
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(session.state()).toMatchObject({ kind: 'active', userInfo: { roles: ['developer'] } });
});

test.each([
  ['{}', 'application/json', '{}'],
  ['an error page', 'text/html', '<html>It works</html>'],
  ['active without rights to read', 'application/json', '{"sessions":[{"status":"active"}]}'],
  ['allowed: "true"', 'application/json', '{"allowed":"true","sessions":[]}'],
  ['a poll answer of half a line', 'application/json', '{"cursor":"1.0","policy_cha'],
])('%s in place of every answer extends nothing', async (_, type, body) => {
  const session = service.createSession(guarded);
  await signIn(manager, session);
  manager.intercept((__, response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
    return true;
  });
  manager.releasePolls(0);
  for (let second = 0; second < 31; second++) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(session.state()).toMatchObject({ kind: 'unjudgeable', code: 'policy_unavailable' });
  manager.comeBack();
});
