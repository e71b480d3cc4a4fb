import { once } from 'node:events';
import { createServer } from 'node:http';
import { createDemoApp } from './app.js';
import { loadConfig } from './config.js';
import type { Environment, RunningServer } from './running-server.js';

/** Streamable HTTP: one endpoint a tenant. Rejects with what to put right. */
export async function serve(env: Environment, print: (line: string) => void): Promise<RunningServer> {
  const { endpoints, allowedHosts, host, port, stopOnStdinEnd } = loadConfig(env);
  const { app, close } = createDemoApp({ endpoints, allowedHosts });
  const server = createServer(app);
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new Error(`The demo MCP server cannot listen on ${host}:${port}: ${reason}`);
  });
  const address = server.address();
  const actual = typeof address === 'object' && address ? address.port : port;
  for (const { tenant } of endpoints) print(`ready: http://${host}:${actual}/t/${tenant}/mcp`);
  return {
    stopsWithStdin: stopOnStdinEnd,
    async stop() {
      server.close();
      await close();
      server.closeAllConnections();
    },
  };
}
