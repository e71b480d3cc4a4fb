import { describe, expect, test } from '@jest/globals';
import { oauthToolNames } from '../../src/session/caller-session.js';
import { connectGuarded, newServer } from './raw-client.js';

describe('the login tools', () => {
  test.each(oauthToolNames)(
    '%s is answered by the guard, with its arguments and without what is reserved',
    async (name) => {
      const { client, session } = await connectGuarded(newServer());
      const { result } = await client.call(name, { session_id: 'x', _user_info: 1, _authsec: 1 });
      expect(result).toEqual({ content: [{ type: 'text', text: name }], structuredContent: { called: name } });
      expect(session.calls.map(({ args }) => args)).toEqual([{ session_id: 'x' }]);
    },
  );

  test.each([[undefined], [null], [[1]], ['x']])('take %j for no arguments', async (args) => {
    const { client, session } = await connectGuarded(newServer());
    await client.request('tools/call', { name: 'oauth_start', arguments: args });
    expect(session.calls[0]?.args).toEqual({});
  });

  test('another name that begins so is unknown', async () => {
    const { client, session } = await connectGuarded(newServer());
    for (const name of ['oauth_', 'oauth_starts', 'OAUTH_START']) {
      expect((await client.call(name)).result.content[0].text).toBe(`MCP error -32602: Tool ${name} not found`);
    }
    expect(session.calls).toEqual([]);
  });

  test('are aborted by a cancellation, and then not answered', async () => {
    const { client, session } = await connectGuarded(newServer());
    let finish = () => {};
    session.onOAuthCall = (_, __, signal) =>
      new Promise((resolve) => {
        finish = () => resolve({ content: [] });
        signal.addEventListener('abort', finish);
      });
    client.send({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'oauth_authenticate' } });
    await client.settle();
    client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } });
    await client.settle();
    expect(session.calls[0]?.signal.aborted).toBe(true);
    expect(client.received.filter(({ id }) => id === 5)).toEqual([]);
  });

  test('are aborted when the connection closes, which ends the session', async () => {
    const { client, session } = await connectGuarded(newServer());
    session.onOAuthCall = () => new Promise(() => {});
    client.send({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'oauth_authenticate' } });
    await client.settle();
    await client.close();
    expect(session.calls[0]?.signal.aborted).toBe(true);
    expect(session.closed).toBe(1);
  });

  test('that throw tell the client nothing', async () => {
    const { client, session, log } = await connectGuarded(newServer());
    session.onOAuthCall = () => {
      throw new Error('secret');
    };
    expect((await client.call('oauth_start')).error).toEqual({ code: -32603, message: 'Internal error' });
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  test('know the client’s name, and that there is a transport session', async () => {
    const { session } = await connectGuarded(newServer());
    expect(session.guarded.clientName()).toBe('raw client');
    expect(session.guarded.hasTransportSession()).toBe(true);
  });
});
