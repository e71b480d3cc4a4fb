import { describe, expect, test } from '@jest/globals';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { connectGuarded } from './raw-client.js';

const capabilities = { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };

/** A server whose list of tasks comes late, and has a task of somebody else's. */
async function acme() {
  const taskStore = new InMemoryTaskStore();
  const { taskId } = await taskStore.createTask({}, 1, { method: 'tools/call' });
  const list = taskStore.listTasks.bind(taskStore);
  let open = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  taskStore.listTasks = async (...args) => {
    await gate;
    return list(...args);
  };
  const server = new McpServer({ name: 'acme', version: '1' }, { capabilities, taskStore });
  server.registerTool('wait', {}, () => new Promise<never>(() => {}));
  return { server, taskId, open: () => open() };
}

describe('an answer whose request was pushed out by others', () => {
  test.each([0, ''])('under the id %j, which the MCP SDK does not cancel, gives nothing away', async (id) => {
    const { server, taskId, open } = await acme();
    const { client } = await connectGuarded(server, { tools: { wait: { public: true } } });
    const cancel = (requestId: number | string) =>
      client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    client.send({ jsonrpc: '2.0', id, method: 'tasks/list' });
    cancel(id);
    for (let other = 1; other <= 1_000; other += 1) {
      client.send({ jsonrpc: '2.0', id: other, method: 'tools/call', params: { name: 'wait' } });
    }
    cancel(5);
    client.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'wait' } });
    await client.settle();
    open();
    await client.settle();
    expect(JSON.stringify(client.received)).not.toContain(taskId);
  });

  test('is withheld where nothing is in flight under its id', async () => {
    const { server } = await acme();
    const { client } = await connectGuarded(server, { tools: { wait: { public: true } } });
    const result = { tasks: [{ taskId: 'foreign' }], contents: [{ uri: 'a:b', text: 'secret' }] };
    await server.server.transport?.send({ jsonrpc: '2.0', id: 77, result });
    expect(client.received.at(-1)).toEqual({
      jsonrpc: '2.0',
      id: 77,
      error: { code: -32603, message: 'Internal error' },
    });
  });
});
