import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { developer } from './fake-session.js';
import { type Json, connectGuarded } from './raw-client.js';

// The MCP SDK warns of names that are not tidy, which is what some of these are for.
beforeEach(() => void jest.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => void jest.restoreAllMocks());

const names = [
  'admin_dashboard',
  'a',
  'constructor_',
  'delete-project.v2',
  'x'.repeat(128),
  'Tool not found',
  'weiß ünïcode',
  '$& $1 $$',
  '"quoted"\\',
  'z'.repeat(33),
];
const capabilities = { tasks: { requests: { tools: { call: {} } } } };

/** A server with or without the tools that only an admin may see. */
function acme(kind: 'hidden' | 'unknown' | 'disabled' | 'task') {
  const server = new McpServer(
    { name: 'acme', version: '1' },
    { capabilities, taskStore: new InMemoryTaskStore(), maxToolInputElements: 50 },
  );
  const ran: string[] = [];
  if (kind === 'unknown') {
    server.registerTool('something', {}, () => ({ content: [] }));
    return { server, ran, tools: { something: { public: true as const } } };
  }
  for (const name of names) {
    const run = () => {
      ran.push(name);
      return { content: [{ type: 'text' as const, text: 'ran' }] };
    };
    if (kind === 'task') {
      const never = async (): Promise<never> => {
        ran.push(name);
        throw new Error('ran');
      };
      const handler = { createTask: never, getTask: never, getTaskResult: never };
      server.experimental.tasks.registerToolTask(name, { execution: { taskSupport: 'optional' } }, handler);
      continue;
    }
    const tool = server.registerTool(name, { inputSchema: { count: z.number() } }, run);
    if (kind === 'disabled') tool.disable();
  }
  return { server, ran, tools: Object.fromEntries(names.map((name) => [name, { roles: ['admin'] }])) };
}

const shapes: Record<string, (name: string) => Json> = {
  'plain, arguments that fit': (name) => ({ name, arguments: { count: 1 } }),
  'arguments that do not fit': (name) => ({ name, arguments: { count: 'x' } }),
  'no arguments': (name) => ({ name }),
  'too many arguments': (name) => ({ name, arguments: { list: Array.from({ length: 200 }, () => 0) } }),
  'arguments that are no object': (name) => ({ name, arguments: [1] }),
  'the name in the arguments': (name) => ({ name, arguments: { [name]: name } }),
  'a _user_info': (name) => ({ name, arguments: { _user_info: { email: 'admin@acme.test' } } }),
  'as a task': (name) => ({ name, arguments: { count: 1 }, task: { ttl: 1_000 } }),
  'as a task that is none': (name) => ({ name, task: 'yes' }),
  'a progress token': (name) => ({ name, _meta: { progressToken: 7 } }),
};

describe.each(['hidden', 'disabled', 'task'] as const)('a tool that is there and hidden (%s)', (kind) => {
  describe.each(['anonymous', 'signed in'] as const)('%s', (who) => {
    test.each(Object.keys(shapes))('answers byte for byte as one that is not there: %s', async (shape) => {
      const there = acme(kind);
      const absent = acme('unknown');
      const one = await connectGuarded(there.server, { tools: there.tools });
      const other = await connectGuarded(absent.server, { tools: absent.tools });
      if (who === 'signed in') for (const { session } of [one, other]) session.become(developer);
      await Promise.all([one.client.settle(), other.client.settle()]);

      for (const [index, name] of names.entries()) {
        const params = shapes[shape]?.(name);
        const hidden = JSON.stringify(await one.client.request('tools/call', params, index));
        expect(hidden).toBe(JSON.stringify(await other.client.request('tools/call', params, index)));
        expect(hidden).not.toMatch(/a[0-9a-f]{32}/);
      }
      expect(one.client.notifications()).toEqual(other.client.notifications());
      expect(there.ran).toEqual([]);
    });
  });
});

describe('a name that an object has by itself', () => {
  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s is as unknown as any',
    async (name) => {
      const { server, tools } = acme('unknown');
      const { client, session } = await connectGuarded(server, { tools });
      const expected = (answer: Json) => JSON.stringify(answer.result).replaceAll('no_such_tool', name);
      const before = await client.call('no_such_tool');
      expect(JSON.stringify((await client.call(name)).result)).toBe(expected(before));
      session.become(developer);
      expect(JSON.stringify((await client.call(name)).result)).toBe(expected(before));
    },
  );

  test('has no way into the rules', async () => {
    const { server } = acme('unknown');
    const { client } = await connectGuarded(server, { tools: { something: { public: true } } });
    for (const name of ['public', 'roles', '', ' something', 'something ', 'SOMETHING']) {
      expect((await client.call(name)).result.isError).toBe(true);
    }
  });
});
