import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { TestTenant } from '../../support/test-manager.js';
import type { TestClient } from '../../authorization-server/test-server.js';

type Fetch = typeof globalThis.fetch;

export interface GuardedServer {
  /** The result of `tools/call`. */
  call(name: string, args?: object, meta?: object): Promise<Record<string, any>>;
  /** What went to the Manager and came from there: authorization, cookies and bodies. */
  readonly wire: readonly string[];
  close(): Promise<void>;
}

/** An MCP server that the real SDK guards, as one who builds on the published package has it. */
export async function openGuardedServer(tenant: TestTenant, client: TestClient): Promise<GuardedServer> {
  // Built, and by its file: the Manager does not depend on the SDK.
  const sdk = new URL('../../../../../packages/sdk/dist/index.js', import.meta.url);
  const { authsec, callContext } = await import(sdk.href);
  const wire: string[] = [];
  const recording: Fetch = async (input, init) => {
    wire.push(new Headers(init?.headers).get('authorization') ?? '', await new Response(init?.body).text());
    const response = await fetch(input, init);
    wire.push(await response.clone().text());
    return response;
  };
  const auth = authsec({
    issuer: tenant.issuer,
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    login: 'page',
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    fetch: recording,
  });
  const server = new McpServer({ name: 'test', version: '1.0.0' });
  server.registerTool('admin_dashboard', {}, () => ({ content: [{ type: 'text', text: 'dashboard' }] }));
  server.registerTool('use_service', {}, async () => {
    const { services } = await callContext();
    const credential = await services.credential('kept-service');
    return { content: [{ type: 'text', text: `a token of ${credential.token.length} characters` }] };
  });
  auth.protect(server, { tools: { admin_dashboard: { roles: ['admin'] }, use_service: { roles: ['admin'] } } });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const waiting = new Map<unknown, (message: any) => void>();
  near.onmessage = (message: any) => waiting.get(message.id)?.(message);
  await server.connect(far);
  let id = 0;
  const request = async (method: string, params: object): Promise<any> => {
    const own = id++;
    const answer = new Promise((done) => waiting.set(own, done));
    await near.send({ jsonrpc: '2.0', id: own, method, params } as never);
    return answer;
  };
  await request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1.0.0' },
  });
  return {
    wire,
    async call(name, args = {}, meta) {
      const params = { name, arguments: args, ...(meta && { _meta: meta }) };
      return (await request('tools/call', params)).result;
    },
    async close() {
      await server.close();
      await auth.close();
    },
  };
}
