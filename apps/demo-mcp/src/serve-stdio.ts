import { authsec } from '@authsec/sdk';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createProjects } from './projects.js';
import { createDemoServer } from './server.js';
import { loadStdioConfig } from './stdio-config.js';

// Standard output is the MCP client's: whatever is to be read by people goes to standard error.
const { tenant, issuer, clientId, clientSecret, login, rememberLogin } = loadStdioConfig(process.env);
const protection = authsec({
  issuer,
  clientId,
  ...(clientSecret !== undefined && { clientSecret }),
  login,
  rememberLogin,
});
const server = createDemoServer({ tenant, projects: createProjects(tenant), protection });

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await protection.close();
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
process.stdin.once('end', () => void stop());
await server.connect(new StdioServerTransport());
