/** What a stranger writes around the README's example: a Manager, an HTTP server, a real MCP client. */
export const consumerFiles = {
  'manager.ts': `
import { createTestManager } from '@authsec/sdk/testing';

export const manager = await createTestManager({
  people: { 'ada@acme.example': { roles: ['admin'] }, 'bob@acme.example': {} },
});
`,
  'main.ts': `
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpRouter } from '@authsec/sdk/express';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { manager } from './manager.js';
import { createServer } from './server.js';

const router = createMcpRouter({ createServer });
const http = createHttpServer((request, response) => router(request, response));
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
const url = new URL(\`http://127.0.0.1:\${(http.address() as AddressInfo).port}/mcp\`);

async function connect() {
  const client = new Client({ name: 'consumer', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(url));
  const names = async () => (await client.listTools()).tools.map(({ name }) => name);
  return { client, names, call: () => client.callTool({ name: 'admin_dashboard', arguments: {} }) };
}

const ada = await connect();
assert.ok(!(await ada.names()).includes('admin_dashboard'));
assert.equal((await ada.call()).isError, true);
await manager.signIn(ada.client, 'ada@acme.example');
assert.ok((await ada.names()).includes('admin_dashboard'));
const answer = await ada.call();

const bob = await connect();
await manager.signIn(bob.client, 'bob@acme.example');
assert.ok(!(await bob.names()).includes('admin_dashboard'));
assert.equal((await bob.call()).isError, true);

console.log(JSON.stringify(answer));
await Promise.all([ada.client.close(), bob.client.close()]);
await router.close();
await manager.close();
http.close();
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      strict: true,
      skipLibCheck: false,
      module: 'nodenext',
      target: 'es2023',
      types: ['node'],
      outDir: 'built',
      rootDir: '.',
    },
    include: ['*.ts'],
  }),
};

/** The example with the one line that names somebody's Manager pointed at ours. */
export function pointAtTestManager(example: string): string {
  const pointed = example.replace(/\bauthsec\(\{[^}]*\}\)/, 'authsec(manager.options)');
  if (pointed === example) throw new Error('the example has no authsec({ … })');
  return `import { manager } from './manager.js';\n${pointed}`;
}
