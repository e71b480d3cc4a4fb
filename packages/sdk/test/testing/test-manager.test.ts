import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type AuthSec, userInfoOf } from '../../src/index.js';
import { createTestManager, type TestManager } from '../../src/testing.js';
import { until } from '../support/fake-clock.js';

const ada = 'ada@acme.example';
const bob = 'bob@acme.example';

/** As an author writes it: told nothing of any test. */
function createServer(auth: AuthSec): McpServer {
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  for (const name of ['ping', 'whoami', 'admin_dashboard', 'report', 'delete_project']) {
    server.registerTool(name, { inputSchema: {} }, (args) => ({
      content: [{ type: 'text', text: name === 'ping' ? 'pong' : userInfoOf(args).email }],
    }));
  }
  return auth.protect(server, {
    tools: {
      ping: { public: true },
      admin_dashboard: { roles: ['admin'] },
      report: { scopes: ['read'], resources: ['analytics'], requireAll: true },
      delete_project: { permissions: ['projects:delete'] },
    },
  });
}

let manager: TestManager;
let server: McpServer;
beforeEach(async () => {
  manager = await createTestManager({
    people: {
      [ada]: { roles: ['admin'] },
      [bob]: { groups: ['analysts'], roles: [{ name: 'editor', expiresInSeconds: 60 }] },
    },
    roles: { editor: { permissions: ['projects:*'] } },
    groups: { analysts: { scopes: ['read'], resources: ['analytics'] } },
  });
  server = createServer(manager.authsec({ logger }));
});
afterEach(() => manager.close());

const nothing = () => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const errorOf = (result: { content: readonly unknown[] }) =>
  (JSON.parse((result.content[0] as { text: string }).text) as { error?: string }).error;

describe('a server’s own test of its protection', () => {
  test('is three lines: a Manager, a server, a signed-in client', async () => {
    const client = await manager.connect(server, ada);
    expect(await client.toolNames()).toEqual(['ping', 'whoami', 'admin_dashboard']);
    expect(await client.callTool({ name: 'whoami' })).toMatchObject({ content: [{ text: ada }] });
  });

  test('before login and after logout only public tools are there', async () => {
    const client = await manager.connect(server);
    expect(await client.toolNames()).toEqual(['ping']);
    expect(await client.signIn(ada)).toMatchObject({ email: ada, tenant_id: 'acme', roles: ['admin'] });
    expect(await client.toolNames()).toContain('admin_dashboard');
    await client.signOut();
    expect(await client.toolNames()).toEqual(['ping']);
  });

  test('rights come by groups and roles, and end with what brought them', async () => {
    const client = await manager.connect(server, bob);
    expect(await client.toolNames()).toEqual(['ping', 'whoami', 'report', 'delete_project']);
    await manager.advance(50_000);
    expect(await client.toolNames()).toContain('delete_project');
    await manager.advance(15_000);
    expect(await client.toolNames()).toEqual(['ping', 'whoami', 'report']);
    await manager.setPerson(bob, { permissions: ['projects:delete'] });
    expect(await client.toolNames()).toEqual(['ping', 'whoami', 'delete_project']);
  });

  test('a change of rights is there when setPerson has resolved, and the client was told', async () => {
    const client = await manager.connect(server, ada);
    let told = 0;
    client.mcp.setNotificationHandler(ToolListChangedNotificationSchema, () => void told++);
    await manager.setPerson(ada, {});
    expect(await client.toolNames()).toEqual(['ping', 'whoami']);
    await until(() => told > 0);
  });

  test('revoke ends a login at once, and lets the person sign in again; removePerson does not', async () => {
    const client = await manager.connect(server, ada);
    await manager.revoke(ada);
    expect(await client.toolNames()).toEqual(['ping']);
    expect((await client.callTool({ name: 'oauth_status' })).structuredContent).toMatchObject({
      status: 'signed_out',
      login_ended: { reason: 'revoked' },
    });
    const hidden = await client.callTool({ name: 'admin_dashboard' });
    const unknown = await client.callTool({ name: 'admin_dashboarx' });
    expect(JSON.stringify(hidden).replaceAll('admin_dashboard', '*')).toBe(
      JSON.stringify(unknown).replaceAll('admin_dashboarx', '*'),
    );
    await client.signIn(ada);
    expect(await client.toolNames()).toContain('admin_dashboard');
    await manager.removePerson(ada);
    expect(await client.toolNames()).toEqual(['ping']);
    expect((await client.callTool({ name: 'oauth_status' })).structuredContent).toMatchObject({
      login_ended: { reason: 'user_disabled' },
    });
    await expect(client.signIn(ada)).rejects.toThrow(/there is no "ada@acme.example"/);
  });

  test('while the Manager is away calls go on for a lease, then fail closed, and come back', async () => {
    const client = await manager.connect(server, ada);
    await manager.goAway();
    expect((await client.callTool({ name: 'admin_dashboard' })).isError).toBeFalsy();
    await manager.advance(30_000);
    expect(await client.toolNames()).toContain('admin_dashboard');
    expect(errorOf(await client.callTool({ name: 'admin_dashboard' }))).toBe('policy_unavailable');
    expect((await client.callTool({ name: 'ping' })).isError).toBeFalsy();
    await manager.comeBack();
    await manager.advance(10_000);
    expect((await client.callTool({ name: 'admin_dashboard' })).isError).toBeFalsy();
  });

  test('what changed while the Manager was away counts once it is back', async () => {
    const client = await manager.connect(server, ada);
    await manager.goAway();
    await manager.setPerson(ada, {});
    expect(await client.toolNames()).toContain('admin_dashboard');
    await manager.comeBack();
    await manager.advance(10_000);
    expect(await client.toolNames()).not.toContain('admin_dashboard');
  });

  test('a login outlives hours of polls, and ends where it has to', async () => {
    const client = await manager.connect(server, ada);
    await manager.advance(3_600_000);
    expect((await client.callTool({ name: 'admin_dashboard' })).isError).toBeFalsy();
    await manager.advance(36_000_000);
    expect(errorOf(await client.callTool({ name: 'admin_dashboard' }))).toBe('session_expired');
  });

  test('a code is good once, for the login that it was given for', async () => {
    const one = await manager.connect(server);
    const two = await manager.connect(createServer(manager.authsec({ logger })));
    const start = async (client: typeof one) =>
      (await client.callTool({ name: 'oauth_start' })).structuredContent as Record<string, string>;
    const authenticate = async (client: typeof one, session: string, code: string) =>
      errorOf(await client.callTool({ name: 'oauth_authenticate', arguments: { session_id: session, code } }));
    const [first, second] = [await start(one), await start(two)];
    const code = manager.approve(first['authorization_url']!, ada);
    expect(await authenticate(two, second['session_id']!, code)).toBe('code_refused');
    expect(await authenticate(two, first['session_id']!, code)).toBe('session_id_mismatch');
    expect(await authenticate(one, first['session_id']!, code)).toBeUndefined();
    expect(() => manager.approve(first['authorization_url']!, ada)).toThrow(/approved before/);
    expect(() => manager.approve('https://elsewhere.example/go/1', ada)).toThrow(/knows no login/);
  });

  test('a server that is not protected is said to be none', async () => {
    const bare = new McpServer({ name: 'bare', version: '1' });
    bare.registerTool('ping', {}, () => ({ content: [] }));
    await expect(manager.connect(bare, ada)).rejects.toThrow(/oauth_start: is this server protected\?/);
  });
});

test('with AUTHSEC_DEBUG=1 stderr is told why a tool is hidden, as in front of a real Manager', async () => {
  const before = process.env['AUTHSEC_DEBUG'];
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  process.env['AUTHSEC_DEBUG'] = '1';
  const debugged = await createTestManager({ people: { [bob]: {} } });
  try {
    const client = await debugged.connect(createServer(debugged.authsec()), bob);
    await client.toolNames();
    const said = write.mock.calls.map(([text]) => String(text));
    expect(said.join('')).toContain(
      'not listed: "admin_dashboard" is denied (role_missing). Missing: the role "admin".',
    );
  } finally {
    if (before === undefined) delete process.env['AUTHSEC_DEBUG'];
    else process.env['AUTHSEC_DEBUG'] = before;
    await debugged.close();
    write.mockRestore();
  }
});
