import { authsec } from '@authsec/sdk';
import express, { type Express } from 'express';
import type { DemoConfig } from './config.js';
import { mcpEndpoint } from './mcp-endpoint.js';
import { createProjects } from './projects.js';
import { createDemoServer } from './server.js';

export interface DemoApp {
  readonly app: Express;
  /** Ends every MCP session and login. */
  close(): Promise<void>;
}

/** `/t/<tenant>/mcp` for each tenant, with one `authsec()` each, and `/healthz`. */
export function createDemoApp({ endpoints }: Pick<DemoConfig, 'endpoints'>): DemoApp {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  const closers = endpoints.map(({ tenant, issuer, clientId, clientSecret }) => {
    const protection = authsec({ issuer, clientId, clientSecret });
    const projects = createProjects(tenant);
    app.use(
      `/t/${tenant}/mcp`,
      mcpEndpoint({ createServer: () => createDemoServer({ tenant, projects, protection }) }),
    );
    return () => protection.close();
  });
  return {
    app,
    async close() {
      await Promise.all(closers.map((close) => close()));
    },
  };
}
