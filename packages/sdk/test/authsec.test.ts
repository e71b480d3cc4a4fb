import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { authsec, type AuthSec } from '../src/index.js';
import { until } from './support/fake-clock.js';
import { startFakeManager, type FakeManager } from './support/fake-manager.js';

const loginTools = ['oauth_start', 'oauth_authenticate', 'oauth_status', 'oauth_logout', 'oauth_user_info'];

describe('authsec().protect() on a real McpServer, with a real client', () => {
  let manager: FakeManager;
  let auth: AuthSec;

  beforeEach(async () => {
    manager = await startFakeManager();
    manager.setGrants('ada', { roles: ['admin'] });
    const { issuer, clientId, clientSecret } = manager;
    auth = authsec({ issuer, clientId, clientSecret });
  });
  afterEach(async () => {
    await auth.close();
    await manager.close();
  });

  test('only the login and public tools before login, the own ones after it, none after logout; every result matches its schema', async () => {
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    for (const name of ['ping', 'admin_dashboard', 'auditor_report']) {
      server.registerTool(name, { description: name }, async () => ({ content: [{ type: 'text', text: name }] }));
    }
    auth.protect(server, {
      tools: { ping: { public: true }, admin_dashboard: { roles: ['admin'] }, auditor_report: { roles: ['auditor'] } },
    });
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    serverSide.sessionId = 'transport-1';
    const client = new Client({ name: 'test', version: '1' });
    let listChanges = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void listChanges++);
    await Promise.all([server.connect(serverSide), client.connect(clientSide)]);
    const names = async () => (await client.listTools()).tools.map(({ name }) => name);
    // The client validates structured content by each tool's output schema.
    const callTool = async (name: string, args: Record<string, unknown> = {}) => {
      const result = await client.callTool({ name, arguments: args });
      const said: Record<string, any> = { isError: result.isError === true, ...(result.structuredContent as object) };
      return said;
    };

    expect(await names()).toEqual([...loginTools, 'ping']);
    expect(await callTool('oauth_status')).toMatchObject({ isError: false, status: 'signed_out' });
    expect(await callTool('oauth_user_info')).toMatchObject({ isError: true, error: 'not_signed_in' });

    const started = await callTool('oauth_start');
    expect(started).toMatchObject({ isError: false, status: 'pending' });
    expect(await callTool('oauth_status')).toMatchObject({ isError: false, status: 'pending' });
    const session = { session_id: started['session_id'] };
    expect(await callTool('oauth_authenticate', session)).toMatchObject({ isError: false, status: 'pending' });
    const code = manager.approve(started['authorization_url'], 'ada');
    expect(await callTool('oauth_authenticate', { ...session, code: 'wrong' })).toMatchObject({
      error: 'code_refused',
    });
    expect(await callTool('oauth_authenticate', { ...session, code })).toMatchObject({
      isError: false,
      status: 'authenticated',
      accessible_tools: ['admin_dashboard'],
    });
    await until(() => listChanges > 0, 'tools/list_changed');
    expect(await names()).toEqual([...loginTools, 'ping', 'admin_dashboard']);
    expect(await callTool('oauth_status', session)).toMatchObject({ isError: false, status: 'authenticated' });
    expect(await callTool('oauth_user_info', session)).toMatchObject({ isError: false, roles: ['admin'] });
    const result = await client.callTool({ name: 'admin_dashboard', arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'admin_dashboard' }]);

    manager.setGrants('ada', { roles: ['auditor'] });
    await until(() => listChanges > 1, 'tools/list_changed after the change of rights');
    expect(await names()).toEqual([...loginTools, 'ping', 'auditor_report']);
    const unknown = await client.callTool({ name: 'no_such_tool_..', arguments: {} });
    const refused = await client.callTool({ name: 'admin_dashboard', arguments: {} });
    expect(JSON.stringify(refused)).toBe(JSON.stringify(unknown).replaceAll('no_such_tool_..', 'admin_dashboard'));

    expect(await callTool('oauth_logout')).toMatchObject({ isError: false, status: 'signed_out' });
    expect(await names()).toEqual([...loginTools, 'ping']);
    await client.close();
  });
});

describe('the options are checked at the start', () => {
  const good = { issuer: 'https://authsec.example/t/acme', clientId: 'demo', clientSecret: 's' };
  test.each<[string, Record<string, unknown>]>([
    ['issuer', { issuer: 'https://authsec.example/t/acme/' }],
    ['issuer', { issuer: 'https://authsec.example' }],
    ['issuer', { issuer: 'https://authsec.example/t/acme?x=1' }],
    ['issuer', { issuer: 'https://user:pw@authsec.example/t/acme' }],
    ['issuer', { issuer: 'http://authsec.example/t/acme' }],
    ['issuer', { issuer: undefined }],
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: undefined }],
    ['clientSecret', { clientSecret: '' }],
    ['login', { login: 'console' }],
    ['rememberLogin', { rememberLogin: 'yes' }],
    ['rememberLogin', { rememberLogin: true }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['fetch', { fetch: 'no' }],
    ['logger', { logger: {} }],
    ['clientID', { clientID: 'demo' }],
  ])('%s is named', (option, change) => {
    const options = { ...good, ...change } as Parameters<typeof authsec>[0];
    expect(() => authsec(options)).toThrow(new RegExp(`^${option}: `));
    expect(() => authsec(options)).toThrow(TypeError);
  });

  test('http:// is taken on loopback, and elsewhere only where it is said', async () => {
    for (const issuer of ['http://127.0.0.1:1/t/acme', 'http://localhost/t/acme', 'http://[::1]:1/t/acme']) {
      await authsec({ ...good, issuer }).close();
    }
    await authsec({ ...good, issuer: 'http://authsec.example/t/acme', dangerouslyAllowHttp: true }).close();
  });
});
