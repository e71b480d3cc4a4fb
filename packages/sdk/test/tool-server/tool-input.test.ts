import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { z as z3 } from 'zod/v3';
import { type AuthSecTool, mcpTool, protectedByAuthSec, type ToolInput, type ToolReturn } from '../../src/index.js';
import { createTestManager, type TestClient, type TestManager } from '../../src/testing.js';
import { prepareToolServers } from '../../src/tool-server/create-tool-server.js';

let manager: TestManager;
beforeAll(async () => {
  manager = await createTestManager();
});
afterAll(() => manager.close());

async function serve(...tools: AuthSecTool[]): Promise<TestClient> {
  const create = await prepareToolServers({ tools, name: 'acme', version: '1' }, manager.authsec());
  return manager.connect(create());
}

const standardOnly = {
  '~standard': {
    version: 1,
    vendor: 'ours',
    validate: (value: unknown) =>
      (value as { n?: unknown }).n === 1 ? { value: { n: 'one' } } : { issues: [{ message: 'not 1', path: ['n'] }] },
    jsonSchema: { input: () => ({ type: 'object', properties: { n: { const: 1 } } }) },
  },
} as const;

describe('what a tool takes', () => {
  const numbers = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } as const;
  test.each<[string, ToolInput, unknown]>([
    ['a zod shape', { n: z.number() }, { n: 1 }],
    ['a zod object', z.object({ n: z.number() }), { n: 1 }],
    ['a zod object that is transformed', z.object({ n: z.number() }).transform(({ n }) => ({ n: n + 1 })), { n: 2 }],
    ['a shape of zod mini', { n: mini.number() }, { n: 1 }],
    ['a shape of zod 3', { n: z3.number() }, { n: 1 }],
    ['an object of zod 3', z3.object({ n: z3.number() }), { n: 1 }],
    ['a JSON Schema', numbers, { n: 1 }],
    ['another Standard Schema', standardOnly, { n: 'one' }],
  ])('%s is listed, and validates', async (_, inputSchema, made) => {
    const seen: unknown[] = [];
    const client = await serve(mcpTool('tool', { inputSchema }, (args) => String(seen.push(args))));
    const listed = (await client.mcp.listTools()).tools.find(({ name }) => name === 'tool');
    expect(listed?.inputSchema).toMatchObject({ type: 'object', properties: { n: expect.anything() } });
    expect(await client.callTool({ name: 'tool', arguments: { n: 1 } })).toMatchObject({ content: [{ text: '1' }] });
    const wrong = await client.callTool({ name: 'tool', arguments: { n: 'x' } });
    expect(wrong).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Invalid arguments for tool tool: .*\bn\b/) }],
    });
    expect(seen).toEqual([made]);
    await client.close();
  });

  test('without a schema anything is taken', async () => {
    const seen: unknown[] = [];
    const client = await serve(mcpTool('tool', { title: 'A tool' }, (args) => String(seen.push(args))));
    await client.callTool({ name: 'tool', arguments: { any: [1] } });
    await client.callTool({ name: 'tool' });
    expect(seen).toEqual([{ any: [1] }, {}]);
    const listed = (await client.mcp.listTools()).tools.find(({ name }) => name === 'tool');
    expect(listed).toEqual({ name: 'tool', title: 'A tool', inputSchema: { type: 'object' } });
  });

  test('a Standard Schema that cannot be listed is refused at the start', async () => {
    const { jsonSchema: _, ...rest } = standardOnly['~standard'];
    await expect(serve(mcpTool('tool', { inputSchema: { '~standard': rest } }, () => ''))).rejects.toThrow(
      /JSON Schema/,
    );
  });
});

describe('what a tool answers', () => {
  test.each<[string, unknown, unknown]>([
    ['text', 'hi', { content: [{ type: 'text', text: 'hi' }] }],
    ['a list', [{ type: 'text', text: 'hi' }], { content: [{ type: 'text', text: 'hi' }] }],
    ['a result', { content: [], structuredContent: { a: 1 } }, { content: [], structuredContent: { a: 1 } }],
    ['what no type allows', { a: 1 }, { content: [{ type: 'text', text: '{"a":1}' }] }],
    ['nothing', undefined, { content: [{ type: 'text', text: '' }] }],
  ])('%s', async (_, returned, answer) => {
    const client = await serve(mcpTool('tool', {}, () => returned as ToolReturn));
    expect(await client.callTool({ name: 'tool' })).toEqual(answer);
  });

  test('what a handler throws is an error result', async () => {
    const client = await serve(mcpTool('tool', {}, () => Promise.reject(new Error('no disk'))));
    const failed = { content: [{ type: 'text', text: 'no disk' }], isError: true };
    expect(await client.callTool({ name: 'tool' })).toEqual(failed);
  });
});

describe('a declaration that cannot hold is refused where it stands', () => {
  const protect = (name: string, options: object) => () => protectedByAuthSec(name, options, () => '');
  test.each<[string, () => unknown, string]>([
    ['two lists without requireAll', protect('x', { roles: ['a'], scopes: ['b'] }), 'ambiguous_requirement'],
    ['an empty list', protect('x', { roles: [] }), 'invalid_requirement'],
    ['an unknown option', protect('x', { rols: ['a'] }), 'invalid_requirement'],
    ['the name of a login tool', protect('oauth_start', {}), 'reserved_tool_name'],
    ['_user_info in a shape', protect('x', { inputSchema: { _user_info: z.string() } }), 'reserved_argument'],
    [
      '_user_info in a JSON Schema',
      protect('x', { inputSchema: { type: 'object', properties: { _user_info: {} } } }),
      'reserved_argument',
    ],
  ])('%s', (_, declare, code) => {
    expect(declare).toThrow(expect.objectContaining({ name: 'AuthSecError', code }));
  });

  test.each<[string, () => unknown, RegExp]>([
    ['no name', protect('', {}), /name/],
    ['no handler', () => protectedByAuthSec('x', {}, undefined as never), /handler/],
    ['no schema', protect('x', { inputSchema: 'string' }), /inputSchema/],
    [
      'a requirement of a public tool',
      () => mcpTool('x', { roles: ['a'] } as object, () => ''),
      /roles: no such option/,
    ],
  ])('%s', (_, declare, message) => {
    expect(declare).toThrow(message);
    expect(declare).toThrow(TypeError);
  });
});
