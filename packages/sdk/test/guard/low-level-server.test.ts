import { describe, expect, test } from '@jest/globals';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { oauthToolNames } from '../../src/session/caller-session.js';
import { admin, developer } from './fake-session.js';
import { connectGuarded } from './raw-client.js';

const define = (name: string, description = '') => ({ name, description, inputSchema: { type: 'object' as const } });

/** A server of the bare class, a page of its list for each of `pages`. */
function acme(pages: string[][]) {
  const server = new Server({ name: 'acme', version: '1' }, { capabilities: { tools: {}, logging: {} } });
  const cursors: (string | undefined)[] = [];
  const called: { name: string; args: unknown }[] = [];
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    cursors.push(params?.cursor);
    const page = Number(params?.cursor ?? 0);
    return {
      tools: (pages[page] ?? []).map((name) => define(name)),
      ...(page + 1 < pages.length ? { nextCursor: String(page + 1) } : {}),
    };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    called.push({ name: params.name, args: params.arguments });
    if (!pages.flat().includes(params.name)) {
      await server.sendLoggingMessage({ level: 'error', data: { [params.name]: `no ${params.name}` } });
      throw Object.assign(new Error(`Unknown tool: ${params.name}`), { data: { [params.name]: params.name } });
    }
    return { content: [] };
  });
  return { server, cursors, called, pages };
}

const tools = { hidden_1: { roles: ['admin'] }, hidden_2: { roles: ['admin'] }, open: { public: true as const } };

describe('a low-level server', () => {
  test('has its pages merged: none is empty, none is counted', async () => {
    const { server } = acme([['open'], ['hidden_1', 'hidden_2'], [], ['other']]);
    const { client, session } = await connectGuarded(server, { tools });
    const { result } = await client.request('tools/list', {});
    expect(result.tools.map(({ name }: any) => name)).toEqual([...oauthToolNames, 'open']);
    expect(Object.keys(result)).toEqual(['tools']);
    session.become(admin);
    expect(await client.list()).toEqual([...oauthToolNames, 'open', 'hidden_1', 'hidden_2', 'other']);
  });

  test('whose pages never end is cut off', async () => {
    const { server } = acme([['open']]);
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [define('open')], nextCursor: 'again' }));
    const { client, log } = await connectGuarded(server, { tools });
    expect((await client.list()).length).toBeLessThan(10);
    expect(log.lines.some(({ level }) => level === 'warn')).toBe(true);
  });

  test('one of whose pages fails answers its error under the client’s id', async () => {
    const { server } = acme([['open']]);
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
      if (params?.cursor) throw new Error('page');
      return { tools: [define('open')], nextCursor: 'x' };
    });
    const { client } = await connectGuarded(server, { tools });
    expect(await client.request('tools/list', {}, 'mine')).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      error: { code: -32603, message: 'page' },
    });
  });

  test('gets _user_info in the arguments, and no reserved one from outside', async () => {
    const { server, called } = acme([['open', 'other']]);
    const { client, session } = await connectGuarded(server, { tools: { open: { public: true } } });
    await client.call('open', JSON.parse('{"a":1,"_user_info":1,"__proto__":{"_user_info":1}}'));
    expect(Object.hasOwn(called[0]!.args as object, '__proto__')).toBe(false);
    session.become(developer);
    await client.call('other', { a: 1, _authsec: 1 });
    await client.call('other');
    expect(called.map(({ args }) => args)).toEqual([
      { a: 1 },
      { a: 1, _user_info: developer.userInfo },
      { _user_info: developer.userInfo },
    ]);
  });

  test('says of a hidden tool what it says of an unknown one, wherever it echoes the name', async () => {
    const { server, called } = acme([['hidden_1']]);
    const other = acme([['open']]);
    const one = await connectGuarded(server, { tools: { hidden_1: { roles: ['admin'] } } });
    const two = await connectGuarded(other.server);
    one.session.become(developer);
    two.session.become(developer);
    await Promise.all([one.client.settle(), two.client.settle()]);
    one.client.received.length = 0;
    two.client.received.length = 0;
    await one.client.request('tools/call', { name: 'hidden_1', arguments: { _user_info: 1 } }, 1);
    await two.client.request('tools/call', { name: 'hidden_1', arguments: { _user_info: 1 } }, 1);
    expect(JSON.stringify(one.client.received)).toBe(JSON.stringify(two.client.received));
    expect(one.client.received.at(-1)?.error.message).toBe('Unknown tool: hidden_1');
    expect(JSON.stringify(one.client.received)).toContain('{"hidden_1":"no hidden_1"}');
    expect(called.map(({ name }) => name)).not.toContain('hidden_1');
    expect(called[0]?.args).toEqual({});
  });

  test('cannot list a tool in the name of AuthSec', async () => {
    const { server } = acme([['oauth_start', 'oauth_extra', 'open']]);
    const { client, session } = await connectGuarded(server, { tools: { open: { public: true } } });
    session.become(admin);
    expect(await client.list()).toEqual([...oauthToolNames, 'open']);
    expect((await client.call('oauth_extra')).error.message).toBe('Unknown tool: oauth_extra');
  });

  test('advertises list changes, and a change of its list comes to those who see it', async () => {
    const { server, pages } = acme([['open', 'hidden_1']]);
    const { client, session, initialized } = await connectGuarded(server, { tools });
    expect(initialized.result.capabilities.tools).toEqual({ listChanged: true });
    const count = async () => {
      await client.settle();
      return client.notifications('notifications/tools/list_changed').length;
    };
    pages[0]?.push('hidden_2');
    await server.sendToolListChanged();
    expect(await count()).toBe(0);
    session.become(admin);
    expect(await count()).toBe(1);
    pages[0]?.push('new');
    await server.sendToolListChanged();
    expect(await count()).toBe(2);
    expect(await session.guarded.accessibleTools()).toEqual(['hidden_1', 'hidden_2', 'new']);
  });

  test('without tools of its own lists the login tools', async () => {
    const server = new Server({ name: 'acme', version: '1' }, { capabilities: {} });
    const { client, session } = await connectGuarded(server);
    expect(await client.list()).toEqual([...oauthToolNames]);
    expect((await client.call('oauth_status')).result.structuredContent).toEqual({ called: 'oauth_status' });
    expect(await session.guarded.accessibleTools()).toEqual([]);
    expect((await client.call('x')).error.code).toBe(-32601);
  });
});
