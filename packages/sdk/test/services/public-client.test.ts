import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createService, local, signIn } from '../support/caller.js';
import { type FakeManager, json, startFakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
beforeEach(async () => {
  manager = await startFakeManager({ isPublic: true });
});
afterEach(() => manager.close());

test('a server on a person’s own machine asks with the token of their login, for that login alone', async () => {
  const service = createService(manager, { login: 'page' });
  const session = service.createSession(local());
  expect(session.services?.person()).toBeUndefined();
  const { sid } = await signIn(manager, session);
  const issued = {
    service: {
      id: '7f6f6b1e-6f0c-4e6e-9b43-3f3d1a2b4c5d',
      name: 'github',
      kind: 'bearer',
      base_url: 'https://api.github.test/',
      allow_private_addresses: false,
    },
    credential: { type: 'bearer', token: 'one' },
    expires_in: 300,
    lease_id: null,
    decision_id: '7f6f6b1e-6f0c-4e6e-9b43-3f3d1a2b4c5d',
  };
  manager.intercept(({ path }, response) => {
    if (path !== '/v1/service-credentials') return false;
    json(response, 201, issued);
    return true;
  });
  const person = session.services!.person()!;
  const asked = { service: 'github', raw: false, previous: false, tool: 'list_repositories' };
  expect(await person.issue(asked, new AbortController().signal)).toEqual(issued);
  const seen = manager.requests.find(({ path }) => path === '/v1/service-credentials')!;
  expect(JSON.parse(seen.body)).toEqual({ sid, ...asked });
  expect(seen.headers.authorization).toMatch(/^Bearer api-session-/);
  await session.close();
  expect(session.services?.person()).toBeUndefined();
  expect(session.services?.closed.aborted).toBe(true);
  await service.close();
});
