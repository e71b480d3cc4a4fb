import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { ToolDecision } from '../../src/guard/observe-call.js';
import { protectServer } from '../../src/protect-server.js';
import { type FakeSession, admin, createFakeSession, developer } from './fake-session.js';
import { type RawClient, initializeParams, openRawClient } from './raw-client.js';

let server: McpServer;
let client: RawClient;
let session: FakeSession;
let told: ToolDecision[];
let onDecision: (decision: ToolDecision) => unknown;
let debug: string[];
let errors: string[];
let validating: () => void;

beforeEach(async () => {
  told = [];
  debug = [];
  errors = [];
  validating = () => {};
  onDecision = (decision) => void told.push(decision);
  server = new McpServer({ name: 'test', version: '1.0.0' });
  const content = [{ type: 'text' as const, text: 'done' }];
  const days = z.number().refine(async () => {
    validating();
    return true;
  });
  server.registerTool('admin_dashboard', { inputSchema: { days } }, () => ({ content }));
  server.registerTool('ping', {}, () => ({ content }));
  protectServer(server, {
    tools: { admin_dashboard: { roles: ['admin'] }, ping: { public: true } },
    logger: { debug: (line) => debug.push(line), info() {}, warn() {}, error: (line) => errors.push(line) },
    onDecision: (decision) => onDecision(decision) as undefined,
    createSession: (guarded) => (session = createFakeSession(guarded)),
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  client = openRawClient(near);
  await server.connect(far);
  await client.request('initialize', initializeParams);
});
afterEach(() => server.close());

describe('what the author is told of decisions', () => {
  test('each tool of a list: shown, or hidden with the reason that the client never gets', async () => {
    session.become(developer);
    expect(await client.list()).not.toContain('admin_dashboard');
    expect(told).toMatchObject([
      { method: 'tools/list', tool: 'admin_dashboard', outcome: 'hidden', code: 'role_missing' },
      { method: 'tools/list', tool: 'ping', outcome: 'allowed', code: 'allowed' },
    ]);
    expect(told[0]?.user?.email).toBe('dev@acme.test');
    expect(told[0]?.why()).toContain('"admin"');
    expect(debug).toEqual(['the tools of a signed-in person are listed', `not listed: ${told[0]?.why()}`]);
    expect(JSON.stringify(client.received)).not.toMatch(/admin|role|missing/);
  });

  test('a right that goes while the arguments are validated: allowed at first, then hidden', async () => {
    session.become(admin);
    validating = () => session.setSilently(developer);
    const { result } = await client.call('admin_dashboard', { days: 1 });
    expect(result.isError).toBe(true);
    expect(told.map(({ method, outcome, code }) => [method, outcome, code])).toEqual([
      ['tools/call', 'allowed', 'allowed'],
      ['tools/call', 'hidden', 'role_missing'],
    ]);
  });

  test('cannot be changed by who is told', async () => {
    session.become(developer);
    onDecision = (decision) => {
      (decision as { outcome: string }).outcome = 'allowed';
    };
    expect(await client.list()).not.toContain('admin_dashboard');
    expect((await client.call('admin_dashboard', { days: 1 })).result.isError).toBe(true);
    expect(errors).toEqual(['onDecision failed', 'onDecision failed', 'onDecision failed']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['is rejected later', () => Promise.reject(new Error('disk full'))],
    ['never ends', () => new Promise(() => {})],
  ])('a function that %s decides, delays and ends nothing', async (_how, failing) => {
    onDecision = failing;
    session.become(developer);
    expect(await client.list()).toContain('ping');
    expect((await client.call('admin_dashboard', { days: 1 })).result.isError).toBe(true);
    session.become(admin);
    expect((await client.call('admin_dashboard', { days: 1 })).result.content).toEqual([
      { type: 'text', text: 'done' },
    ]);
  });
});
