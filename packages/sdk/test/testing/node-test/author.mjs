import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { authsec } from '@authsec/sdk';
import { createTestManager } from '@authsec/sdk/testing';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

const manager = await createTestManager({
  people: { 'ada@acme.example': { roles: ['admin'] }, 'bob@acme.example': {} },
});
const auth = authsec(manager.options);
after(async () => {
  await auth.close();
  await manager.close();
});

function createServer() {
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  server.registerTool('admin_dashboard', {}, () => ({ content: [{ type: 'text', text: 'figures' }] }));
  return auth.protect(server, { tools: { admin_dashboard: { roles: ['admin'] } } });
}

void test('administrators see the dashboard, and others do not', async () => {
  const ada = await manager.connect(createServer(), 'ada@acme.example');
  assert.deepEqual(await ada.toolNames(), ['admin_dashboard']);
  const bob = await manager.connect(createServer(), 'bob@acme.example');
  assert.deepEqual(await bob.toolNames(), []);
  await manager.setPerson('bob@acme.example', { roles: ['admin'] });
  assert.deepEqual(await bob.toolNames(), ['admin_dashboard']);
});
