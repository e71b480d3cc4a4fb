import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { oauthToolNames } from '../../src/session/caller-session.js';
import { admin, developer, unjudgeable } from './fake-session.js';
import { connectGuarded, newServer } from './raw-client.js';

function acme() {
  const server = newServer();
  const ran: { tool: string; args: any; extra: any }[] = [];
  const answer = (tool: string) => (args: any, extra: any) => {
    ran.push({ tool, args, extra });
    return { content: [{ type: 'text' as const, text: `${tool} ran` }] };
  };
  const inputSchema = { n: z.number().optional() };
  server.registerTool('ping', { inputSchema }, answer('ping'));
  server.registerTool('hello', { inputSchema }, answer('hello'));
  server.registerTool('admin_dashboard', { inputSchema }, answer('admin_dashboard'));
  return { server, ran, tools: { ping: { public: true as const }, admin_dashboard: { roles: ['admin'] } } };
}

describe('tools/list', () => {
  test('before login shows the login tools in their order and the public tools, nothing else', async () => {
    const { server, tools } = acme();
    const { client } = await connectGuarded(server, { tools });
    expect(await client.list()).toEqual([...oauthToolNames, 'ping']);
  });

  test('after login shows what the person may use, and takes it back at logout', async () => {
    const { server, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    expect(await client.list()).toEqual([...oauthToolNames, 'ping', 'hello']);
    session.become(admin);
    expect(await client.list()).toEqual([...oauthToolNames, 'ping', 'hello', 'admin_dashboard']);
    session.become({ kind: 'anonymous' });
    expect(await client.list()).toEqual([...oauthToolNames, 'ping']);
  });

  test('of a server without a single tool shows the login tools', async () => {
    const { client, initialized } = await connectGuarded(newServer());
    expect(await client.list()).toEqual([...oauthToolNames]);
    expect(initialized.result.capabilities.tools).toEqual({ listChanged: true });
  });

  test('keeps listing what was shown while rights cannot be judged', async () => {
    const { server, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(unjudgeable('dev@acme.test', { roles: ['developer'] }));
    expect(await client.list()).toEqual([...oauthToolNames, 'ping', 'hello']);
  });
});

describe('tools/call', () => {
  test('runs a public tool for anyone', async () => {
    const { server, tools, ran } = acme();
    const { client } = await connectGuarded(server, { tools });
    expect((await client.call('ping', { n: 1 })).result.content[0].text).toBe('ping ran');
    expect(ran).toHaveLength(1);
  });

  test('runs no handler of a hidden tool', async () => {
    const { server, tools, ran } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    expect((await client.call('hello', {})).result.content[0].text).toBe('MCP error -32602: Tool hello not found');
    session.become(developer);
    expect((await client.call('admin_dashboard', {})).result).toEqual({
      content: [{ type: 'text', text: 'MCP error -32602: Tool admin_dashboard not found' }],
      isError: true,
    });
    expect(ran).toEqual([]);
  });

  test('runs an allowed tool', async () => {
    const { server, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    expect((await client.call('admin_dashboard', {})).result.content[0].text).toBe('admin_dashboard ran');
  });

  test('answers policy_unavailable with a next step, and runs no handler, for a tool that was shown', async () => {
    const { server, tools, ran } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(unjudgeable('dev@acme.test', { roles: ['developer'] }));
    const { result } = await client.call('hello', {});
    expect(result.isError).toBe(true);
    expect(result.structuredContent).toBeUndefined();
    expect(JSON.parse(result.content[0].text)).toEqual({
      error: 'policy_unavailable',
      message: expect.any(String),
      next_step: expect.any(String),
    });
    expect((await client.call('admin_dashboard', {})).result.content[0].text).toContain('not found');
    expect((await client.call('ping', {})).result.content[0].text).toBe('ping ran');
    expect(ran.map(({ tool }) => tool)).toEqual(['ping']);
  });
});
