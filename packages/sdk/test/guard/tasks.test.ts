import { describe, expect, test } from '@jest/globals';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { admin, developer, person } from './fake-session.js';
import { type Json, connectGuarded } from './raw-client.js';

const capabilities = { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };

/** `report` is an admin's, `open_report` anyone's; `finish` lets a task end. */
function acme() {
  const taskStore = new InMemoryTaskStore();
  const server = new McpServer({ name: 'acme', version: '1' }, { capabilities, taskStore, defaultTaskPollInterval: 1 });
  const begun: Json[] = [];
  for (const name of ['report', 'open_report']) {
    server.experimental.tasks.registerToolTask(
      name,
      { inputSchema: { n: z.number() }, execution: { taskSupport: 'required' } },
      {
        async createTask(args: Json, extra: Json) {
          const task = await extra.taskStore.createTask({ pollInterval: 1 });
          begun.push({ name, args, task });
          return { task };
        },
        getTask: async (_: Json, extra: Json) => extra.taskStore.getTask(extra.taskId),
        getTaskResult: async (_: Json, extra: Json) => extra.taskStore.getTaskResult(extra.taskId),
      } as never,
    );
  }
  const finish = (taskId: string) =>
    taskStore.storeTaskResult(taskId, 'completed', { content: [{ type: 'text', text: 'the secret' }] });
  return {
    server,
    taskStore,
    begun,
    finish,
    tools: { report: { roles: ['admin'] }, open_report: { public: true as const } },
  };
}

const read = ['tasks/get', 'tasks/result', 'tasks/cancel'];

describe('a task', () => {
  test('is its person’s, with the person in the arguments', async () => {
    const { server, begun, finish, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    const { result } = await client.call('report', { n: 1, _user_info: 'forged' }, { task: {} });
    const { taskId } = result.task;
    expect(begun[0].args).toEqual({ n: 1, _user_info: admin.userInfo });
    expect((await client.request('tasks/get', { taskId })).result.status).toBe('working');
    await finish(taskId);
    expect((await client.request('tasks/result', { taskId })).result.content[0].text).toBe('the secret');
    expect((await client.request('tasks/list')).result.tasks.map((task: Json) => task.taskId)).toEqual([taskId]);
  });

  test.each<[string, Json]>([
    ['logout', { kind: 'anonymous' }],
    ['another login', person('eve@acme.test', { roles: ['admin'] })],
    ['the rights are gone', { ...developer, userInfo: { ...admin.userInfo, roles: [] } }],
  ])('answers after %s as one that never was', async (_, next) => {
    const { server, finish, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    const { taskId } = (await client.call('report', { n: 1 }, { task: {} })).result.task;
    await finish(taskId);
    session.become(next);
    await client.settle();
    for (const method of read) {
      const own = await client.request(method, { taskId }, 'same');
      const none = await client.request(method, { taskId: 'never' }, 'same');
      expect(JSON.stringify(own)).toBe(JSON.stringify(none).replaceAll('never', taskId));
      expect(own.error.code).toBe(-32602);
    }
    expect((await client.request('tasks/list')).result.tasks).toEqual([]);
  });

  test('whose result was waited for across a logout does not give it', async () => {
    const { server, finish, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    const { taskId } = (await client.call('report', { n: 1 }, { task: {} })).result.task;
    const waiting = client.request('tasks/result', { taskId });
    await client.settle();
    session.become({ kind: 'anonymous' });
    await finish(taskId);
    const answer = await waiting;
    expect(answer.error).toEqual({ code: -32602, message: expect.stringContaining(taskId) });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  test('of another session is unknown, though the store would give it', async () => {
    const { server, taskStore, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    const foreign = await taskStore.createTask({}, 1, { method: 'tools/call' });
    expect((await client.request('tasks/get', { taskId: foreign.taskId })).error.code).toBe(-32602);
    expect((await client.request('tasks/list')).result.tasks).toEqual([]);
  });

  test('with a name beyond all measure is refused, and not repeated', async () => {
    const { server, tools } = acme();
    const { client } = await connectGuarded(server, { tools });
    const answer = await client.request('tasks/get', { taskId: 'x'.repeat(2_000) });
    expect(answer.error).toEqual({ code: -32602, message: 'Invalid params: taskId' });
  });

  test('of a public tool is for whoever has the session', async () => {
    const { server, finish, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    const { taskId } = (await client.call('open_report', { n: 1 }, { task: {} })).result.task;
    await finish(taskId);
    expect((await client.request('tasks/result', { taskId })).result.content[0].text).toBe('the secret');
    session.become(developer);
    expect((await client.request('tasks/get', { taskId })).result.status).toBe('completed');
  });

  test('of a hidden tool does not begin', async () => {
    const { server, begun, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(developer);
    const hidden = await client.request('tools/call', { name: 'report', arguments: { n: 1 }, task: {} }, 1);
    const unknown = await client.request('tools/call', { name: 'other', arguments: { n: 1 }, task: {} }, 1);
    expect(JSON.stringify(hidden)).toBe(JSON.stringify(unknown).replaceAll('other', 'report'));
    expect(begun).toEqual([]);
  });

  test('named as the one that a request belongs to has to be one’s own', async () => {
    const { server, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    const { taskId } = (await client.call('report', { n: 1 }, { task: {} })).result.task;
    let related: unknown;
    server.registerTool('hello', {}, (extra) => {
      related = extra._meta?.['io.modelcontextprotocol/related-task'];
      return { content: [] };
    });
    const _meta = { 'io.modelcontextprotocol/related-task': { taskId } };
    await client.call('hello', {}, { _meta });
    expect(related).toEqual({ taskId });
    session.become(developer);
    await client.call('hello', {}, { _meta });
    expect(related).not.toEqual({ taskId });
  });

  test('is reported on to its person alone', async () => {
    const { server, begun, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    session.become(admin);
    await client.call('report', { n: 1 }, { task: {} });
    const { task } = begun[0];
    const tell = () => server.server.notification({ method: 'notifications/tasks/status', params: task });
    await tell();
    expect(client.notifications('notifications/tasks/status')).toHaveLength(1);
    session.become(developer);
    await tell();
    session.become({ kind: 'anonymous' });
    await tell();
    expect(client.notifications('notifications/tasks/status')).toHaveLength(1);
  });
});

describe('a login tool', () => {
  test('does not run as a task', async () => {
    const { server, tools } = acme();
    const { client, session } = await connectGuarded(server, { tools });
    expect((await client.call('oauth_start', {}, { task: {} })).error.code).toBe(-32601);
    expect(session.calls).toEqual([]);
  });
});
