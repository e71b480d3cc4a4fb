import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CallerSession } from '../../src/session/caller-session.js';
import { call, createService, guarded, type Service } from '../support/caller.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let service: Service;
let session: CallerSession;

beforeEach(async () => {
  manager = await startFakeManager();
  manager.offerToken();
  service = createService(manager);
  session = service.createSession(guarded);
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

const paste = (sessionId: string, token: string, on = session) =>
  call(on, 'oauth_authenticate', { session_id: sessionId, jwt_token: token });

describe('a pasted token', () => {
  test('signs in where the Manager offers it, without a code', async () => {
    const started = await call(session, 'oauth_start');
    const token = await manager.approveForToken(started.authorization_url, 'ada');
    expect(await paste(started.session_id, token)).toMatchObject({
      status: 'authenticated',
      user_info: { email: 'ada@acme.example' },
    });
    expect(manager.requests.filter(({ body }) => body.includes('authorization_code'))).toEqual([]);
  });

  test('is not sent anywhere where the Manager does not offer it', async () => {
    manager.offerToken(false);
    const started = await call(session, 'oauth_start');
    const token = await manager.approveForToken(started.authorization_url, 'ada');
    expect(await paste(started.session_id, token)).toMatchObject({ error: 'paste_token_not_enabled' });
    expect(manager.count('POST', '/v1/sessions')).toBe(0);
  });

  test('of another session is refused there, voids nothing, and still serves its own', async () => {
    const other = service.createSession(guarded);
    const [own, foreign] = [await call(session, 'oauth_start'), await call(other, 'oauth_start')];
    const token = await manager.approveForToken(own.authorization_url, 'ada');
    expect(await paste(foreign.session_id, token, other)).toMatchObject({ error: 'token_not_for_this_session' });
    expect(await paste(own.session_id, token, other)).toMatchObject({ error: 'session_id_mismatch' });
    expect(other.state().kind).toBe('anonymous');
    expect(await paste(own.session_id, token)).toMatchObject({ status: 'authenticated' });
    const rightful = await manager.approveForToken(foreign.authorization_url, 'bob');
    expect(await paste(foreign.session_id, rightful, other)).toMatchObject({ status: 'authenticated' });
  });

  test('is taken once, also by several calls at the same moment', async () => {
    const started = await call(session, 'oauth_start');
    const token = await manager.approveForToken(started.authorization_url, 'ada');
    const answers = await Promise.all([1, 2, 3].map(() => paste(started.session_id, token)));
    expect(answers.map(({ status, error }) => status ?? error)).toEqual([
      'authenticated',
      'code_already_used',
      'code_already_used',
    ]);
    expect(manager.count('POST', '/v1/sessions')).toBe(1);
    expect(await paste(started.session_id, token)).toMatchObject({ error: 'code_already_used' });
  });

  test('that the Manager says was used, as such or by its code, is refused as that', async () => {
    const started = await call(session, 'oauth_start');
    const token = await manager.approveForToken(started.authorization_url, 'ada');
    for (const one of manager.sessions.values()) one.bindKey = 'of another request';
    expect(await paste(started.session_id, token)).toMatchObject({ error: 'token_already_used' });
    expect(session.state().kind).toBe('anonymous');
  });

  test.each<[string, (url: string) => Promise<string>]>([
    [
      'minted with another key',
      async (url) => (await manager.approveForToken(url, 'ada')).replace(/.{8}$/, 'AAAAAAAA'),
    ],
    [
      'from an exchange, as it never leaves the process',
      (url) => {
        const mcpSession = manager.logins.get(url.split('/').at(-1)!)!.parameters.get('mcp_session')!;
        return manager.signToken({ sub: 'ada', sid: 'x'.repeat(22), mcp_session: mcpSession });
      },
    ],
    ['that is none', async () => 'not-a-token'],
    ['without a session', () => manager.signToken({ sub: 'ada', sid: 'x'.repeat(22), paste_token: true })],
    [
      'for another application',
      (url) => {
        const mcpSession = manager.logins.get(url.split('/').at(-1)!)!.parameters.get('mcp_session')!;
        const claims = { sub: 'ada', sid: 'x'.repeat(22), mcp_session: mcpSession, paste_token: true };
        return manager.signToken({ ...claims, aud: 'urn:authsec:application:other' });
      },
    ],
  ])('%s is refused before the Manager hears of it, and the right one may follow', async (_name, make) => {
    const started = await call(session, 'oauth_start');
    expect(await paste(started.session_id, await make(started.authorization_url))).toMatchObject({
      error: 'token_invalid',
    });
    expect(manager.count('POST', '/v1/sessions')).toBe(0);
    const token = await manager.approveForToken(started.authorization_url, 'ada');
    expect(await paste(started.session_id, token)).toMatchObject({ status: 'authenticated' });
  });

  test('beside a code is one too many', async () => {
    const started = await call(session, 'oauth_start');
    const args = { session_id: started.session_id, code: 'x', jwt_token: 'y' };
    expect(await call(session, 'oauth_authenticate', args)).toMatchObject({ error: 'invalid_arguments' });
  });

  test('is not what an exchange may give', async () => {
    manager.changeTokens({ claims: { paste_token: true } });
    const started = await call(session, 'oauth_start');
    const code = manager.approve(started.authorization_url, 'ada');
    expect(await call(session, 'oauth_authenticate', { session_id: started.session_id, code })).toMatchObject({
      error: 'token_invalid',
    });
  });
});
