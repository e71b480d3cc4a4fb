import { describe, expect, test } from '@jest/globals';
import { ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { z } from 'zod';
import { developer, unjudgeable } from './fake-session.js';
import { connectGuarded, newServer } from './raw-client.js';

function acme() {
  const server = newServer({ logging: {}, resources: { listChanged: true, subscribe: true }, prompts: {} });
  const ran: string[] = [];
  server.registerResource('plan', 'acme://plan', {}, () => {
    ran.push('plan');
    return { contents: [{ uri: 'acme://plan', text: 'secret' }] };
  });
  const list = () => {
    ran.push('list');
    return { resources: [{ uri: 'acme://files/1', name: 'one' }] };
  };
  server.registerResource('file', new ResourceTemplate('{+anything}', { list }), {}, (uri) => {
    ran.push(`file ${uri.href}`);
    return { contents: [{ uri: uri.href, text: 'secret' }] };
  });
  const argsSchema = { who: completable(z.string(), () => ['secret']) };
  server.registerPrompt('brief', { argsSchema }, () => {
    ran.push('brief');
    return { messages: [] };
  });
  server.server.setRequestHandler(z.object({ method: z.literal('acme/custom') }) as never, () => {
    ran.push('custom');
    return { secret: true };
  });
  server.registerTool('ping', {}, () => ({ content: [] }));
  return { server, ran, tools: { ping: { public: true as const } } };
}

const notFound = (what: string) => ({ code: -32602, message: `MCP error -32602: ${what} not found` });

describe('before login', () => {
  test('lists are empty, the rest is unknown, and no handler runs', async () => {
    const { server, ran, tools } = acme();
    const { client } = await connectGuarded(server, { tools });
    expect((await client.request('resources/list')).result).toEqual({ resources: [] });
    expect((await client.request('resources/templates/list')).result).toEqual({ resourceTemplates: [] });
    expect((await client.request('prompts/list')).result).toEqual({ prompts: [] });
    expect((await client.request('resources/read', { uri: 'acme://plan' })).error).toEqual(
      notFound('Resource acme://plan'),
    );
    expect((await client.request('resources/read', { uri: 'acme://none' })).error).toEqual(
      notFound('Resource acme://none'),
    );
    expect((await client.request('prompts/get', { name: 'brief' })).error).toEqual(notFound('Prompt brief'));
    const completion = { ref: { type: 'ref/prompt', name: 'brief' }, argument: { name: 'who', value: '' } };
    expect((await client.request('completion/complete', completion)).error).toEqual(notFound('Prompt brief'));
    expect((await client.request('acme/custom')).error).toEqual({ code: -32601, message: 'Method not found' });
    expect((await client.request('acme/none')).error).toEqual({ code: -32601, message: 'Method not found' });
    expect((await client.request('tasks/list')).error).toEqual({ code: -32601, message: 'Method not found' });
    expect(ran).toEqual([]);
  });

  test('ping, initialize and the log level are for anyone', async () => {
    const { server, tools } = acme();
    const { client } = await connectGuarded(server, { tools });
    expect((await client.request('ping')).result).toEqual({});
    expect((await client.request('logging/setLevel', { level: 'debug' })).result).toEqual({});
  });

  test('what the server tells everyone is held back', async () => {
    const { server, tools } = acme();
    const { client } = await connectGuarded(server, { tools });
    await server.sendLoggingMessage({ level: 'info', data: 'admin_dashboard was used' });
    await server.server.sendResourceUpdated({ uri: 'acme://plan' });
    server.sendResourceListChanged();
    server.sendPromptListChanged();
    await client.settle();
    expect(client.notifications()).toEqual([]);
  });
});

describe('after login', () => {
  test('they are any signed-in person’s, who is told that the lists are there', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    await client.settle();
    expect(client.notifications().map(({ method }) => method)).toEqual([
      'notifications/resources/list_changed',
      'notifications/prompts/list_changed',
    ]);
    expect((await client.request('resources/list')).result.resources).toHaveLength(2);
    expect((await client.request('resources/read', { uri: 'acme://plan' })).result.contents[0].text).toBe('secret');
    expect((await client.request('prompts/list')).result.prompts).toHaveLength(1);
    expect((await client.request('acme/custom')).result).toEqual({ secret: true });
    await server.sendLoggingMessage({ level: 'info', data: 'hello' });
    expect(client.notifications('notifications/message')).toHaveLength(1);
    expect(ran).toEqual(['list', 'plan', 'custom']);
  });

  test('they cannot be had while rights cannot be judged', async () => {
    const { server, ran, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(unjudgeable('dev@acme.test'));
    const { error } = await client.request('resources/read', { uri: 'acme://plan' });
    expect(error.data.error).toBe('policy_unavailable');
    await server.sendLoggingMessage({ level: 'info', data: 'secret' });
    expect(client.notifications('notifications/message')).toEqual([]);
    expect(ran).toEqual([]);
  });
});

describe('a public tool, called by nobody in particular', () => {
  test('may report its progress and log', async () => {
    const server = newServer({ logging: {} });
    server.registerTool('ping', {}, async (extra) => {
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'one' } });
      await server.sendLoggingMessage({ level: 'info', data: 'two' });
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
      return { content: [] };
    });
    const { client } = await connectGuarded(server, { tools: { ping: { public: true } } });
    await client.call('ping', {}, { _meta: { progressToken: 1 } });
    expect(client.notifications().map(({ method }) => method)).toEqual([
      'notifications/message',
      'notifications/message',
      'notifications/progress',
    ]);
  });
});

describe('a call that outlives its login', () => {
  test('says no more than its answer', async () => {
    const server = newServer({ logging: {} });
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    server.registerTool('work', {}, async () => {
      await gate;
      await server.sendLoggingMessage({ level: 'info', data: 'secret' });
      return { content: [] };
    });
    const { client, session } = await connectGuarded(server);
    session.become(developer);
    const answer = client.call('work');
    await client.settle();
    session.become({ kind: 'anonymous' });
    goOn();
    expect((await answer).result).toEqual({ content: [] });
    expect(client.notifications('notifications/message')).toEqual([]);
  });
});
