import { authsec } from '@authsec/sdk';
import { createMcpRouter } from '@authsec/sdk/express';
import express, { type Express } from 'express';
import type { DemoConfig } from './config.js';
import { createProjects } from './projects.js';
import { createDemoServer } from './server.js';

/** MCP Inspector, where it connects from its web page and not through its proxy. */
const inspectorOrigins = ['http://localhost:6274', 'http://127.0.0.1:6274'];

export interface DemoApp {
  readonly app: Express;
  /** Ends every MCP session and login. */
  close(): Promise<void>;
}

export type DemoAppOptions = Pick<DemoConfig, 'endpoints'> & Partial<Pick<DemoConfig, 'allowedHosts'>>;

/** `/t/<tenant>/mcp` for each tenant, with one `authsec()` each, and `/healthz`. */
export function createDemoApp({ endpoints, allowedHosts }: DemoAppOptions): DemoApp {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  const closers = endpoints.map(({ tenant, issuer, clientId, clientSecret }) => {
    const protection = authsec({ issuer, clientId, clientSecret });
    const projects = createProjects(tenant);
    const router = createMcpRouter({
      createServer: () => createDemoServer({ tenant, projects, protection }),
      allowedHosts,
      allowedOrigins: inspectorOrigins,
    });
    app.use(`/t/${tenant}/mcp`, router);
    return async () => {
      await router.close();
      await protection.close();
    };
  });
  return {
    app,
    async close() {
      await Promise.all(closers.map((close) => close()));
    },
  };
}
