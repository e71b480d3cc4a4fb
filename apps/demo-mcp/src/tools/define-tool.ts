import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { ToolRule } from '@authsec/sdk';
import type { Projects } from '../projects.js';

/** What a tool of the demo may use. */
export interface ToolContext {
  readonly server: McpServer;
  readonly tenant: string;
  readonly projects: Projects;
}

/** A tool together with who may use it. */
export interface DemoTool {
  readonly name: string;
  readonly rule: ToolRule;
  register(context: ToolContext): void;
}

/** Checks the shape, keeps the value. */
export function defineTool(tool: DemoTool): DemoTool {
  return tool;
}
