import { expectTypeOf } from 'expect-type';
import { z } from 'zod';
import { z as z3 } from 'zod/v3';
import * as mini from 'zod/mini';
import { allOf, mcpTool, protectedByAuthSec, role, runMcpServerWithOAuth, scope } from '../../src/index.js';
import type { AuthSecTool, RunningMcpServer, ToolCallContext, UserInfo } from '../../src/index.js';

interface Person {
  readonly _user_info: UserInfo;
}
interface PersonMaybe {
  readonly _user_info?: UserInfo;
}

const shape = {
  a: z.number(),
  b: z.string().optional(),
  c: z.string().default('x'),
  d: z.array(z.enum(['p', 'q'])),
  e: z.unknown(),
  f: z.coerce.number(),
};

// A zod shape gives what z.object of it gives.
protectedByAuthSec('shape', { roles: ['admin'], inputSchema: shape }, (args) => {
  const parsed = z.object(shape).parse({});
  const { _user_info: person, ...own } = args;
  expectTypeOf(person).toEqualTypeOf<UserInfo>();
  expectTypeOf(own).toEqualTypeOf(parsed);
  expectTypeOf(args).toEqualTypeOf<
    { a: number; b?: string | undefined; c: string; d: ('p' | 'q')[]; e: unknown; f: number } & Person extends infer T
      ? { [K in keyof T]: T[K] }
      : never
  >();
  return 'done';
});

// A zod object, of zod 4, mini and 3; what a transform makes is what the handler gets.
protectedByAuthSec('object', { inputSchema: z.object({ at: z.string().transform((at) => new Date(at)) }) }, (args) => {
  expectTypeOf(args).toEqualTypeOf<{ at: Date; readonly _user_info: UserInfo }>();
  return [{ type: 'text', text: args.at.toISOString() }];
});
protectedByAuthSec('mini', { inputSchema: mini.object({ n: mini.optional(mini.number()) }) }, (args) => {
  expectTypeOf(args).toEqualTypeOf<{ n?: number | undefined; readonly _user_info: UserInfo }>();
  return '';
});
protectedByAuthSec('zod 3', { inputSchema: { a: z3.string(), b: z3.number().optional() } }, (args) => {
  expectTypeOf(args).toEqualTypeOf<{ a: string; b?: number | undefined; readonly _user_info: UserInfo }>();
  return '';
});
protectedByAuthSec('zod 3 object', { inputSchema: z3.object({ a: z3.string() }) }, (args) => {
  expectTypeOf(args).toEqualTypeOf<{ a: string; readonly _user_info: UserInfo }>();
  return '';
});
protectedByAuthSec('no arguments', { inputSchema: {} }, (args) => {
  expectTypeOf(args).toEqualTypeOf<Person>();
  return '';
});

// A JSON Schema and no schema give what is not known.
protectedByAuthSec('json', { inputSchema: { type: 'object', properties: { a: { type: 'string' } } } }, (args) => {
  expectTypeOf(args['a']).toBeUnknown();
  expectTypeOf(args._user_info).toEqualTypeOf<UserInfo>();
  return '';
});
protectedByAuthSec('anything', {}, async (args, context) => {
  expectTypeOf(args['anything']).toBeUnknown();
  expectTypeOf(args._user_info.email).toBeString();
  expectTypeOf(context).toEqualTypeOf<ToolCallContext>();
  return { content: [], structuredContent: { a: 1 } };
});

// On a public tool there may be nobody.
mcpTool('public', { inputSchema: { a: z.string() } }, (args) => {
  expectTypeOf(args).toEqualTypeOf<{ a: string } & PersonMaybe extends infer T ? { [K in keyof T]: T[K] } : never>();
  return args.a;
});
mcpTool('ping', {}, ({ _user_info }) => {
  expectTypeOf(_user_info).toEqualTypeOf<UserInfo | undefined>();
  return 'pong';
});

// Requirements are typed as everywhere.
protectedByAuthSec('lists', { scopes: ['read'], resources: ['analytics'], requireAll: true }, () => 'ok');
protectedByAuthSec('expression', { ...allOf(role('admin'), scope('write')), description: 'x' }, () => 'ok');
// @ts-expect-error -- two lists, and nobody said how they go together
protectedByAuthSec('ambiguous', { scopes: ['read'], resources: ['analytics'] }, () => 'ok');
// @ts-expect-error -- no such list
protectedByAuthSec('misspelt', { role_names: ['admin'] }, () => 'ok');
// @ts-expect-error -- what is protected is not public
protectedByAuthSec('public', { public: true }, () => 'ok');
// @ts-expect-error -- a public tool requires nothing
mcpTool('public', { roles: ['admin'] }, () => 'ok');
// @ts-expect-error -- no such argument
protectedByAuthSec('typo', { inputSchema: { a: z.string() } }, (args) => args.b);
// @ts-expect-error -- not what a tool answers
protectedByAuthSec('answer', {}, () => ({ text: 'x' }));

const tools: AuthSecTool[] = [mcpTool('ping', {}, () => 'pong')];
expectTypeOf(runMcpServerWithOAuth({ tools })).resolves.toEqualTypeOf<RunningMcpServer>();
expectTypeOf(runMcpServerWithOAuth).parameter(0).toHaveProperty('clientSecret');
// @ts-expect-error -- tools are needed
void runMcpServerWithOAuth({ issuer: 'https://authsec.example/t/acme' });
