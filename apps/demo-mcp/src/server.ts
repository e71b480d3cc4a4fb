import type { AuthSec } from '@authsec/sdk';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Projects } from './projects.js';
import { adminDashboard } from './tools/admin-dashboard.js';
import { calculator } from './tools/calculator.js';
import type { DemoTool } from './tools/define-tool.js';
import { deleteProject } from './tools/delete-project.js';
import { hello } from './tools/hello.js';
import { listRepositories } from './tools/list-repositories.js';
import { ping } from './tools/ping.js';
import { runReport } from './tools/run-report.js';
import { viewAnalytics } from './tools/view-analytics.js';

export const tools: readonly DemoTool[] = [
  ping,
  hello,
  calculator,
  adminDashboard,
  viewAnalytics,
  deleteProject,
  listRepositories,
  runReport,
];

export interface DemoServerOptions {
  readonly tenant: string;
  readonly projects: Projects;
  readonly protection: AuthSec;
}

/** One server instance, which is one MCP session, with every tool behind its requirement. */
export function createDemoServer({ tenant, projects, protection }: DemoServerOptions): McpServer {
  const server = new McpServer(
    { name: `authsec-demo-${tenant}`, version: '1.0.0' },
    { instructions: 'Call oauth_start to sign in: the tools that are yours appear after it.' },
  );
  for (const tool of tools) tool.register({ server, tenant, projects });
  return protection.protect(server, { tools: Object.fromEntries(tools.map(({ name, rule }) => [name, rule])) });
}
