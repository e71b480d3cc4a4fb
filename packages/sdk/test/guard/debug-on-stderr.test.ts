import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, expect, test } from '@jest/globals';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server as its author starts it, and a client that asks for a tool that is hidden. */
async function askFor(tool: string, env: Record<string, string>) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(import.meta.dirname, 'debug-server.mjs')],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stderr: 'pipe',
  });
  let stderr = '';
  const ended = new Promise((resolve) => transport.stderr?.once('end', resolve));
  transport.stderr?.on('data', (data: Buffer) => void (stderr += data.toString()));
  const answers: unknown[] = [];
  const client = new Client({ name: 'test', version: '1.0.0' });
  closers.push(() => client.close());
  await client.connect(transport);
  answers.push(await client.listTools(), await client.callTool({ name: tool, arguments: {} }));
  await client.close();
  await ended;
  return { stderr, answers: JSON.stringify(answers) };
}

test('AUTHSEC_DEBUG=1 says on stderr why a tool is not listed and not called, and the client is told nothing of it', async () => {
  const { stderr, answers } = await askFor('admin_dashboard', { AUTHSEC_DEBUG: '1' });
  expect(stderr).toContain('[authsec] debug: not listed: "admin_dashboard" needs a signed-in person');
  expect(stderr).toContain('[authsec] debug: "admin_dashboard" needs a signed-in person');
  expect(answers).not.toContain('signed-in');
  expect(answers).toContain('Tool admin_dashboard not found');
});

test('a host that reads standard error no more is served all the same', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'debug-server.mjs')], {
    env: { PATH: process.env['PATH'], AUTHSEC_DEBUG: '1' },
  });
  closers.push(async () => void child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (id: number, method: string, params: object) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return JSON.parse(String((await lines.next()).value)) as { id: number; result: object };
  };
  const clientInfo = { name: 'test', version: '1.0.0' };
  await ask(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  child.stderr.destroy();
  for (const id of [1, 2, 3])
    expect(await ask(id, 'tools/list', {})).toMatchObject({ id, result: { tools: expect.any(Array) } });
});

test('without it stderr is silent', async () => {
  expect((await askFor('admin_dashboard', {})).stderr).toBe('');
});
