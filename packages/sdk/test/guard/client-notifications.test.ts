import { describe, expect, test } from '@jest/globals';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { protectServer } from '../../src/protect-server.js';
import { type FakeSession, createFakeSession, developer } from './fake-session.js';
import { connectGuarded, createLog, newServer, openRawClient } from './raw-client.js';

describe('a notification of the client', () => {
  test('reaches the server before login only if anyone may send it, and never as a call', async () => {
    const server = newServer();
    const seen: string[] = [];
    server.server.fallbackNotificationHandler = async ({ method }) => void seen.push(method);
    const { client, session } = await connectGuarded(server);
    const send = async (method: string) => {
      client.send({ jsonrpc: '2.0', method });
      await client.settle();
    };
    await send('notifications/acme');
    await send('notifications/roots/list_changed');
    await send('tools/call');
    expect(seen).toEqual(['notifications/roots/list_changed']);
    session.become(developer);
    await send('notifications/acme');
    await send('tools/call');
    expect(seen.slice(1)).toEqual(['notifications/acme']);
  });
});

describe('before initialize', () => {
  test('no change of the list is told', async () => {
    const server = newServer();
    let session: FakeSession | undefined;
    protectServer(server, { logger: createLog(), createSession: (guarded) => (session = createFakeSession(guarded)) });
    server.registerTool('hello', {}, () => ({ content: [] }));
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    const client = openRawClient(clientSide);
    await server.connect(serverSide);
    session?.become(developer);
    await client.settle();
    expect(client.received).toEqual([]);
    await server.close();
  });
});

describe('after the connection is closed', () => {
  test('the guard no longer listens to the session', async () => {
    const { client, session } = await connectGuarded(newServer());
    expect(session.listenerCount()).toBe(1);
    await client.close();
    expect(session.listenerCount()).toBe(0);
    session.become(developer);
  });
});
