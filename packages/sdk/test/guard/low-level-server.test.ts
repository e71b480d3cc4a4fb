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

  test('says of a hidden tool what is said of an unknown one, and asks for the list as often', async () => {
    const said = async (pages: string[][], become?: typeof admin) => {
      const { server, called, cursors } = acme(pages);
      const { client, session } = await connectGuarded(server, { tools: { hidden_1: { roles: ['admin'] } } });
      if (become) session.become(become);
      await client.settle();
      client.received.length = 0;
      cursors.length = 0;
      const params = { name: 'hidden_1', arguments: { _user_info: 1 } };
      await client.request('tools/call', params, 1);
      await client.request('tools/call', { ...params, task: {} }, 2);
      expect(called).toEqual([]);
      return { received: client.received, cursors };
    };
    for (const person of [undefined, developer]) {
      const hidden = await said([['hidden_1']], person);
      expect(hidden).toEqual(await said([['open']], person));
      expect(hidden.received).toEqual(
        [1, 2].map((id) => ({ jsonrpc: '2.0', id, error: { code: -32602, message: 'Unknown tool: hidden_1' } })),
      );
    }
  });

  test('whose handler looks at no name runs it for nobody whom the tool is not shown to', async () => {
    const { server, called, pages } = acme([['hidden_1', 'open'], ['other']]);
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
      called.push({ name: params.name, args: params.arguments });
      return { content: [] };
    });
    const { client, session } = await connectGuarded(server, { tools });
    const runs = async () => {
      called.length = 0;
      for (const name of ['hidden_1', 'Hidden_1', 'made_up', 'constructor', 'other', 'open']) await client.call(name);
      return called.map(({ name }) => name);
    };
    expect(await runs()).toEqual(['open']);
    session.become(developer);
    expect(await runs()).toEqual(['other', 'open']);
    session.become(admin);
    expect(await runs()).toEqual(['hidden_1', 'other', 'open']);
    pages[1] = [];
    expect(await runs()).toEqual(['hidden_1', 'open']);
  });

  test('runs no tool for whom it was taken from while the list was asked for, or who cancelled', async () => {
    const { server, called } = acme([['other']]);
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    let meanwhile = () => {};
    server.setRequestHandler(ListToolsRequestSchema, () => {
      meanwhile();
      return { tools: [define('other')] };
    });
    meanwhile = () => session.setSilently({ kind: 'anonymous' });
    expect((await client.call('other')).error.message).toBe('Unknown tool: other');
    session.become(developer);
    meanwhile = () => client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'gone' } });
    client.send({ jsonrpc: '2.0', id: 'gone', method: 'tools/call', params: { name: 'other' } });
    await client.settle();
    expect(called).toEqual([]);
    meanwhile = () => {};
    await client.call('other');
    expect(called).toHaveLength(1);
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
