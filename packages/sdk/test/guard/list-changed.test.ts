import { describe, expect, test } from '@jest/globals';
import { admin, developer, person, unjudgeable } from './fake-session.js';
import { type RawClient, connectGuarded, newServer } from './raw-client.js';

const nothing = () => ({ content: [] });

async function acme(lateTools: string[] = []) {
  const server = newServer();
  server.registerTool('ping', { description: 'one' }, nothing);
  server.registerTool('hello', {}, nothing);
  const tool = server.registerTool('admin_dashboard', {}, nothing);
  const tools = {
    ping: { public: true as const },
    admin_dashboard: { roles: ['admin'] },
    ...Object.fromEntries(
      lateTools.map((name) => [name, name.startsWith('public') ? { public: true as const } : { roles: ['admin'] }]),
    ),
  };
  return { server, tool, ...(await connectGuarded(server, { tools, lateTools })) };
}

async function count(client: RawClient): Promise<number> {
  await client.settle();
  return client.notifications('notifications/tools/list_changed').length;
}

describe('notifications/tools/list_changed', () => {
  test('comes once for a login, a change of rights and a logout, each if it changes the list', async () => {
    const { client, session } = await acme();
    expect(await count(client)).toBe(0);
    session.become(developer);
    expect(await count(client)).toBe(1);
    session.become(person('dev@acme.test', { roles: ['developer', 'reader'] }));
    expect(await count(client)).toBe(1);
    session.become(admin);
    expect(await count(client)).toBe(2);
    session.become(unjudgeable('ada@acme.test', { roles: ['admin'] }));
    expect(await count(client)).toBe(2);
    session.become({ kind: 'anonymous' });
    expect(await count(client)).toBe(3);
  });

  test('comes before the answer of the login tool that caused it', async () => {
    const { client, session } = await acme();
    session.onOAuthCall = () => {
      session.become(developer);
      return { content: [] };
    };
    await client.call('oauth_authenticate', {});
    expect(client.received.at(-2)?.method).toBe('notifications/tools/list_changed');
    expect(client.received.at(-1)?.result).toEqual({ content: [] });
  });

  test('of a tool registered late comes to those who may see it, not to an anonymous session', async () => {
    const { client, session, server } = await acme(['late', 'public_late']);
    server.registerTool('late', {}, nothing);
    expect(await count(client)).toBe(0);
    server.registerTool('public_late', {}, nothing);
    expect(await count(client)).toBe(1);
    session.become(admin);
    expect(await count(client)).toBe(2);
    server.registerTool('another', {}, nothing);
    expect(await count(client)).toBe(3);
  });

  test('of a hidden tool that is changed, disabled or removed does not come', async () => {
    const { client, session, tool } = await acme();
    session.become(developer);
    expect(await count(client)).toBe(1);
    tool.update({ description: 'new' });
    tool.disable();
    tool.enable();
    tool.remove();
    expect(await count(client)).toBe(1);
  });

  test('of a visible tool that is changed, disabled, renamed or removed comes', async () => {
    const { client, session, server } = await acme();
    session.become(admin);
    const tool = server.registerTool('mine', {}, nothing);
    const before = await count(client);
    tool.update({ description: 'new' });
    expect(await count(client)).toBe(before + 1);
    tool.disable();
    expect(await count(client)).toBe(before + 2);
    tool.enable();
    tool.update({ name: 'ours' });
    expect(await count(client)).toBe(before + 3);
    expect(await client.list()).toContain('ours');
    server.registerTool('brief', {}, nothing).remove();
    expect(await count(client)).toBe(before + 3);
    const brief = server.registerTool('brief', {}, nothing);
    await client.settle();
    brief.remove();
    expect(await count(client)).toBe(before + 5);
  });

  test('any number of changes at one moment is said once', async () => {
    const { client, session, server } = await acme();
    session.become(admin);
    const before = await count(client);
    for (let index = 0; index < 50; index += 1) server.registerTool(`tool_${index}`, {}, nothing);
    expect(await count(client)).toBe(before + 1);
  });

  test('is advertised whatever the author said', async () => {
    const { initialized } = await acme();
    expect(initialized.result.capabilities.tools.listChanged).toBe(true);
  });
});

describe('accessibleTools', () => {
  test('names, sorted, what is listed beyond login and public tools', async () => {
    const { session, tool } = await acme();
    expect(await session.guarded.accessibleTools()).toEqual([]);
    session.become(admin);
    expect(await session.guarded.accessibleTools()).toEqual(['admin_dashboard', 'hello']);
    tool.disable();
    expect(await session.guarded.accessibleTools()).toEqual(['hello']);
    session.become({ kind: 'anonymous' });
    expect(await session.guarded.accessibleTools()).toEqual([]);
  });
});
