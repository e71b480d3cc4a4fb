import { describe, expect, test } from '@jest/globals';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { z } from 'zod';
import { callOf, currentUser, userInfoOf } from '../../src/guard/caller-context.js';
import { protectServer } from '../../src/protect-server.js';
import { admin, createFakeSession, developer } from './fake-session.js';
import { connectGuarded, createLog, newServer } from './raw-client.js';

const forged = { email: 'forged@evil.test', sub: 'forged' };

function acme() {
  const server = newServer();
  const ran: { args: any; extra: any; user: any }[] = [];
  const note = (args: any, extra: any) => {
    ran.push({ args, extra, user: currentUser() });
    return { content: [] };
  };
  server.registerTool('open', { inputSchema: z.looseObject({}) }, note);
  server.registerTool('own', { inputSchema: z.looseObject({ n: z.number().optional() }) }, note);
  server.registerTool('bare', {}, (extra) => note(undefined, extra));
  return { server, ran, tools: { open: { public: true as const } } };
}

describe('_user_info', () => {
  test('joins the arguments after validation, with the effective rights', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    await client.call('own', { n: 1 });
    expect(ran[0]?.args).toEqual({ n: 1, _user_info: admin.userInfo });
    expect(userInfoOf(ran[0]?.args)).toEqual(admin.userInfo);
  });

  test('from outside is dropped with all that is reserved, on public tools too, before and after login', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    const args = JSON.parse(
      '{"a":1,"_user_info":{"sub":"forged"},"_authsec":1,"_authsec_session":"x","_authsecX":1,"\\u005fuser_info":{"sub":"forged"},"__proto__":{"_user_info":{"sub":"forged"}}}',
    );
    await client.call('open', args);
    expect(ran[0]?.args).toEqual({ a: 1 });
    expect(ran[0]?.args._user_info).toBeUndefined();
    session.become(developer);
    await client.call('open', args);
    await client.call('own', args);
    for (const { args: given } of ran.slice(1)) expect(given).toEqual({ a: 1, _user_info: developer.userInfo });
  });

  test('is not what a schema of the author’s makes of the arguments', async () => {
    const server = newServer();
    let seen: unknown;
    const inputSchema = z.looseObject({}).transform((args) => ({ ...args, _user_info: args['who'] }));
    server.registerTool('open', { inputSchema: inputSchema as never }, ((args: unknown) => {
      seen = args;
      return { content: [] };
    }) as never);
    const { client } = await connectGuarded(server, { tools: { open: { public: true } } });
    await client.call('open', { who: forged });
    expect(seen).toEqual({ who: forged });
  });

  test('is what userInfoOf knows to be ours, and nothing else is', () => {
    expect(() => userInfoOf({ _user_info: forged })).toThrow(expect.objectContaining({ code: 'user_info_missing' }));
    for (const args of [undefined, null, {}, 'x', { _user_info: null }]) {
      expect(() => userInfoOf(args)).toThrow(expect.objectContaining({ code: 'user_info_missing' }));
    }
  });

  test('cannot be changed by a handler for the calls after it', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    await client.call('own', {});
    expect(() => ran[0]?.args._user_info.roles.push('admin')).toThrow(TypeError);
    expect(() => (ran[0]!.args._user_info.sub = 'x')).toThrow(TypeError);
  });

  test('is not put into what a schema made into something else', async () => {
    const server = newServer();
    let seen: unknown;
    const inputSchema = z.object({ at: z.string() }).transform(({ at }) => new URL(at));
    server.registerTool('own', { inputSchema: inputSchema as never }, ((args: unknown) => {
      seen = args;
      return { content: [] };
    }) as never);
    const { client, session } = await connectGuarded(server);
    session.become(developer);
    await client.call('own', { at: 'https://acme.test/' });
    expect(seen).toEqual(new URL('https://acme.test/'));
  });
});

describe('extra.authInfo', () => {
  test('carries the person to a handler without arguments', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    await client.call('bare');
    expect(ran[0]?.extra.authInfo).toMatchObject({ token: '', scopes: [], extra: { user: developer.userInfo } });
  });

  test('keeps what a middleware put there, but not a user of its own', async () => {
    const { server, ran, tools } = acme();
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    let session: ReturnType<typeof createFakeSession> | undefined;
    protectServer(server, {
      tools,
      logger: createLog(),
      createSession: (guarded) => (session = createFakeSession(guarded)),
    });
    await server.connect(serverSide);
    const authInfo = { token: 't', clientId: 'c', scopes: ['s'], extra: { user: forged, other: 1 } };
    const call = async (id: number, name: string) => {
      await clientSide.send(
        { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } },
        { authInfo },
      );
      await new Promise((resolve) => setImmediate(resolve));
    };
    await call(1, 'open');
    expect(ran[0]?.extra.authInfo).toEqual({ ...authInfo, extra: { other: 1 } });
    session?.become(developer);
    await call(2, 'open');
    expect(ran[1]?.extra.authInfo).toEqual({ ...authInfo, extra: { other: 1, user: developer.userInfo } });
    await server.close();
  });
});

describe('a handler whose asynchronous context was lost', () => {
  test('is known by the authInfo that it was given, and by no other', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    await client.call('own', {});
    const { extra } = ran[0]!;
    expect(callOf(extra)?.user).toEqual(developer.userInfo);
    expect(callOf({ authInfo: { ...extra.authInfo } })).toBeUndefined();
  });
});

describe('currentUser', () => {
  test('is the caller, after awaits and with calls interleaved, and nobody before login', async () => {
    const server = newServer();
    const seen: unknown[] = [];
    const turns: (() => void)[] = [];
    server.registerTool('open', { inputSchema: { n: z.number() } }, async ({ n }) => {
      await new Promise<void>((resolve) => turns.push(resolve));
      seen[n] = currentUser()?.email;
      return { content: [] };
    });
    const { client, session } = await connectGuarded(server, { tools: { open: { public: true } } });
    const calls = [client.call('open', { n: 0 })];
    await client.settle();
    session.become(admin);
    calls.push(client.call('open', { n: 1 }));
    await client.settle();
    session.become(developer);
    calls.push(client.call('open', { n: 2 }));
    await client.settle();
    for (const turn of turns.reverse()) turn();
    await Promise.all(calls);
    expect(seen).toEqual([undefined, 'ada@acme.test', 'dev@acme.test']);
    expect(currentUser()).toBeUndefined();
  });

  test('reaches resource and prompt handlers', async () => {
    const server = newServer();
    const seen: unknown[] = [];
    server.registerResource('r', 'acme://r', {}, () => {
      seen.push(currentUser()?.email);
      return { contents: [] };
    });
    server.registerPrompt('p', {}, () => {
      seen.push(currentUser()?.email);
      return { messages: [] };
    });
    const { client, session } = await connectGuarded(server);
    session.become(admin);
    await client.request('resources/read', { uri: 'acme://r' });
    await client.request('prompts/get', { name: 'p' });
    expect(seen).toEqual(['ada@acme.test', 'ada@acme.test']);
  });
});
