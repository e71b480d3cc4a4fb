import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { call, createService, guarded, signIn, type Service } from '../support/caller.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';
import { until } from '../support/fake-clock.js';

let manager: FakeManager;
let service: Service;

beforeEach(async () => {
  manager = await startFakeManager();
  manager.setGrants('ada', { roles: ['admin'], permissions: ['projects:delete'] });
  service = createService(manager);
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

describe('an in-band login', () => {
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
  });

  test('a right taken away is gone after the poll', async () => {
    const session = service.createSession(guarded);
    await signIn(manager, session);
    await until(() => manager.waitingPolls() === 1);
    manager.setGrants('ada', { roles: [] });
    await until(() => {
      const state = session.state();
      return state.kind === 'active' && state.userInfo.roles.length === 0;
    });
  });

  test('a session that the Manager ends is anonymous after the poll', async () => {
    const session = service.createSession(guarded);
    const { sid } = await signIn(manager, session);
    await until(() => manager.waitingPolls() === 1);
    let changes = 0;
    session.onChange(() => changes++);
    manager.endSession(sid, 'revoked');
    await until(() => session.state().kind === 'anonymous');
    expect(changes).toBe(1);
    expect((await call(session, 'oauth_status')).status).toBe('signed_out');
  });
});
