import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { McpRouter } from '../express.js';
import { loadMcpSdk } from '../load-mcp-sdk.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';

export interface Served {
  readonly url: string | undefined;
  /** Called where it ends by itself: the client of a process has gone. */
  whenOver(over: () => void): void;
  close(): Promise<void>;
}

/** Listens for one MCP endpoint; rejects with what listening failed with. */
export async function serveHttp(
  router: McpRouter,
  { host, port, path }: { readonly host: string; readonly port: number; readonly path: string },
): Promise<Served> {
  const server = createServer((request, response) => {
    const [asked] = (request.url ?? '').split('?');
    if (asked === path) router(request, response);
    else response.writeHead(404, { 'content-type': 'text/plain' }).end(`There is nothing here. MCP is at ${path}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch(async (error: unknown) => {
    await router.close();
    throw error;
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}${path}`,
    whenOver: () => {},
    async close() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      await router.close();
      server.closeAllConnections();
      await stopped;
    },
  };
}

/** Serves this process's standard input and output, until the input ends. */
export async function serveStdio(server: Server): Promise<Served> {
  const { StdioServerTransport } = await loadMcpSdk('server/stdio.js');
  await server.connect(new StdioServerTransport());
  return {
    url: undefined,
    whenOver: (over) => void process.stdin.once('end', over).once('close', over),
    close: () => server.close(),
  };
}
