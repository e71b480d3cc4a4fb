import { authsec } from '@authsec/sdk';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

const auth = authsec({ issuer: 'http://127.0.0.1:9/t/acme', clientId: 'debugged' });
const server = new McpServer({ name: 'acme', version: '1.0.0' });
server.registerTool('admin_dashboard', {}, () => ({ content: [] }));
await auth.protect(server, { tools: { admin_dashboard: { roles: ['admin'] } } }).connect(new StdioServerTransport());
