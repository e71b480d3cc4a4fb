import { authsec } from '@authsec/sdk';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createProjects } from './projects.js';
import type { Environment, RunningServer } from './running-server.js';
import { createDemoServer } from './server.js';
import { loadStdioConfig } from './stdio-config.js';

/** One person's server, on their own machine. Rejects with what to put right. */
export async function serve(env: Environment): Promise<RunningServer> {
  const { tenant, issuer, clientId, clientSecret, login, rememberLogin } = loadStdioConfig(env);
  const secret = clientSecret === undefined ? {} : { clientSecret };
  const protection = authsec({ issuer, clientId, ...secret, login, rememberLogin });
  const server = createDemoServer({ tenant, projects: createProjects(tenant), protection });
  await server.connect(new StdioServerTransport());
  return { stopsWithStdin: true, stop: () => protection.close() };
}
