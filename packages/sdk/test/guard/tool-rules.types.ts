import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { allOf, anyOf, permission, role, scope } from '@authsec/rbac-core';
import { expectTypeOf } from 'expect-type';
import { z } from 'zod';
import { currentUser, userInfoOf, type WithUserInfo } from '../../src/guard/caller-context.js';
import type { ProtectableServer } from '../../src/guard/mcp-server.js';
import { createMcpRouter } from '../../src/express.js';
import type { UserInfo } from '../../src/session/caller-session.js';
import type { ToolRule, ToolRules } from '../../src/tool-registry.js';
import type { RequestHandler } from 'express';

expectTypeOf<{ public: true }>().toExtend<ToolRule>();
expectTypeOf<{}>().toExtend<ToolRule>();
expectTypeOf<{ roles: string[] }>().toExtend<ToolRule>();
expectTypeOf<{ roles: string[]; scopes: string[]; requireAll: boolean }>().toExtend<ToolRule>();
expectTypeOf(allOf(role('admin'), anyOf(scope('write'), permission('invoice:delete')))).toExtend<ToolRule>();

// Two lists, and nobody said how they go together.
expectTypeOf<{ roles: string[]; scopes: string[] }>().not.toExtend<ToolRule>();
// Public, and yet a requirement.
expectTypeOf<{ public: true; roles: string[] }>().not.toExtend<ToolRule>();
expectTypeOf<{ public: true; allOf: [] }>().not.toExtend<ToolRule>();
expectTypeOf<{ public: true; role: 'admin' }>().not.toExtend<ToolRule>();
// Public is said or not said.
expectTypeOf<{ public: false }>().not.toExtend<ToolRule>();
expectTypeOf<{ public: boolean }>().not.toExtend<ToolRule>();
expectTypeOf<{ roles: string }>().not.toExtend<ToolRule>();

export const rules: ToolRules = {
  ping: { public: true },
  hello: {},
  admin_dashboard: { roles: ['admin'] },
  view_analytics: { scopes: ['read'], resources: ['analytics'], requireAll: true },
  // @ts-expect-error -- two lists without requireAll
  ambiguous: { scopes: ['read'], resources: ['analytics'] },
  // @ts-expect-error -- not a list of rights
  misspelt: { role_names: ['admin'] },
};

expectTypeOf<McpServer>().toExtend<ProtectableServer>();
expectTypeOf<Server>().toExtend<ProtectableServer>();
expectTypeOf(userInfoOf).returns.toEqualTypeOf<UserInfo>();
expectTypeOf(currentUser).returns.toEqualTypeOf<UserInfo | undefined>();

export function register(server: McpServer): void {
  server.registerTool('add', { inputSchema: { a: z.number() } }, ({ a, _user_info }: WithUserInfo<{ a: number }>) => {
    expectTypeOf(_user_info).toEqualTypeOf<UserInfo | undefined>();
    expectTypeOf(a).toEqualTypeOf<number>();
    return { content: [] };
  });
}

declare const server: McpServer;
expectTypeOf(createMcpRouter({ createServer: () => server })).toExtend<RequestHandler>();
expectTypeOf(createMcpRouter({ createServer: async () => server }).close).returns.toEqualTypeOf<Promise<void>>();
