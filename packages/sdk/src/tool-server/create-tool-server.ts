import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import type { AuthSec } from '../authsec.js';
import { AuthSecError } from '../authsec-error.js';
import { type ToolHandler, protectHandler } from '../call-pipeline.js';
import { callOf } from '../guard/caller-context.js';
import { dropReservedArguments } from '../guard/reserved-names.js';
import { loadMcpSdk } from '../load-mcp-sdk.js';
import { servicesOf, type ToolCallContext } from '../services/call-context.js';
import type { ToolRules } from '../tool-registry.js';
import type { AuthSecTool, ToolReturn } from './define-tool.js';
import { type ReadInput, readInputOf } from './read-input.js';

export interface ToolServerOptions {
  readonly tools: readonly AuthSecTool[];
  readonly name: string;
  readonly version: string;
  readonly instructions?: string | undefined;
}

interface PreparedTool {
  readonly tool: AuthSecTool;
  readonly input: ReadInput;
}

/** Makes servers of these tools, one for each MCP session; each protected and not connected. */
export async function prepareToolServers(options: ToolServerOptions, auth: AuthSec): Promise<() => Server> {
  const { tools, name, version, instructions } = options;
  const sdk = await loadMcpSdk('server/index.js');
  const types = await loadMcpSdk('types.js');
  const prepared = new Map<string, PreparedTool>();
  const rules: Record<string, AuthSecTool['rule']> = Object.create(null) as ToolRules;
  for (const tool of tools) {
    if (prepared.has(tool.name)) throw new TypeError(`tools: two are called ${JSON.stringify(tool.name)}`);
    prepared.set(tool.name, { tool, input: await readInputOf(tool) });
    rules[tool.name] = tool.rule;
  }
  const list = [...prepared.values()].map(toListed);

  return () => {
    const capabilities = { tools: { listChanged: true } };
    const server = new sdk.Server(
      { name, version },
      { capabilities, ...(instructions !== undefined && { instructions }) },
    );
    const handlers = new Map(
      [...prepared].map(([called, { tool }]) => [called, protectHandler(server, tool.handler as ToolHandler)]),
    );
    server.setRequestHandler(types.ListToolsRequestSchema, () => ({ tools: list }));
    server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, extra) => {
      const found = prepared.get(params.name);
      const handler = handlers.get(params.name);
      if (!found || !handler) {
        throw new types.McpError(types.ErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
      }
      const { value, problem } = await found.input.read(dropReservedArguments(params.arguments ?? {}));
      if (problem !== undefined) return failure(`Invalid arguments for tool ${params.name}: ${problem}`);
      try {
        return toResult((await handler(value, contextOf(extra))) as ToolReturn);
      } catch (error) {
        if (error instanceof AuthSecError && error.code === 'not_guarded') throw error;
        return failure(error instanceof Error ? error.message : String(error));
      }
    });
    return auth.protect(server, { tools: rules });
  };
}

function contextOf(extra: { readonly signal: AbortSignal }): ToolCallContext {
  const call = callOf(extra);
  return {
    ...extra,
    get services() {
      return servicesOf(call).services;
    },
  };
}

function toListed({ tool, input }: PreparedTool): Tool {
  const { title, description, annotations } = tool.settings;
  return {
    name: tool.name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    inputSchema: input.jsonSchema,
    ...(annotations !== undefined && { annotations }),
  };
}

function toResult(returned: ToolReturn): CallToolResult {
  if (typeof returned === 'string') return { content: [{ type: 'text', text: returned }] };
  if (Array.isArray(returned)) return { content: returned as CallToolResult['content'] };
  if (typeof returned === 'object' && returned !== null && 'content' in returned) return returned as CallToolResult;
  return { content: [{ type: 'text', text: JSON.stringify(returned) ?? '' }] };
}

function failure(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}
