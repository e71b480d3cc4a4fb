import { AuthSecError } from '../authsec-error.js';
import { isObject } from '../guard/json-rpc.js';
import { isReservedArgument, reservedArgumentsOf } from '../guard/reserved-names.js';
import { createToolRegistry, type ToolRule } from '../tool-registry.js';
import type { ToolCallContext } from '../services/call-context.js';
import type { ToolInput } from './tool-input.js';

/** What of a tool a model is told, and what it takes. */
export interface ToolSettings<Input extends ToolInput | undefined> {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** A zod raw shape, a zod object (or any Standard Schema with a JSON Schema), or a JSON Schema. */
  readonly inputSchema?: Input;
  /** MCP's hints, such as `readOnlyHint`. */
  readonly annotations?: Readonly<Record<string, unknown>> | undefined;
}

/** A piece of a tool's answer (MCP `ContentBlock`). */
export interface ToolContent {
  readonly type: string;
  readonly [property: string]: unknown;
}

/** What a handler may return: text, the list of the Python original, or a whole `CallToolResult`. */
export type ToolReturn =
  | string
  | readonly ToolContent[]
  | {
      readonly content: readonly ToolContent[];
      readonly structuredContent?: Readonly<Record<string, unknown>> | undefined;
      readonly isError?: boolean | undefined;
    };

export type ToolHandlerOf<Arguments> = (args: Arguments, context: ToolCallContext) => ToolReturn | Promise<ToolReturn>;

/** A tool with who may use it: made by `protectedByAuthSec` or `mcpTool`, served by `runMcpServerWithOAuth`. */
export interface AuthSecTool {
  readonly name: string;
  readonly rule: ToolRule;
  readonly settings: ToolSettings<ToolInput | undefined>;
  readonly handler: ToolHandlerOf<never>;
}

/** Throws what is wrong with the name, the rule or the schema: AuthSecError, or a TypeError. */
export function defineTool(tool: AuthSecTool): AuthSecTool {
  const { name, rule, settings, handler } = tool;
  if (typeof name !== 'string' || name === '') throw new TypeError('name: must be the name of a tool');
  if (typeof handler !== 'function') throw new TypeError(`${name}: the handler must be a function`);
  createToolRegistry({ tools: { [name]: rule }, lateTools: [] });
  const { inputSchema } = settings;
  if (inputSchema === undefined) return Object.freeze(tool);
  if (!isObject(inputSchema) && typeof inputSchema !== 'function') {
    throw new TypeError(`${name}: inputSchema must be a zod shape or object, or a JSON Schema`);
  }
  const { properties } = inputSchema as { readonly properties?: unknown };
  const declared = isJsonSchema(inputSchema)
    ? Object.keys(isObject(properties) ? properties : {}).filter(isReservedArgument)
    : reservedArgumentsOf(inputSchema);
  if (declared.length === 0) return Object.freeze(tool);
  const message = `the input schema of "${name}" declares ${declared[0]}, which belongs to AuthSec`;
  throw new AuthSecError('reserved_argument', message);
}

export function isJsonSchema(input: unknown): input is { readonly type: 'object' } {
  return isObject(input) && input['type'] === 'object' && !('~standard' in input) && !('_def' in input);
}
