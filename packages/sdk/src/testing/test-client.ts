import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { oauthToolNames, type UserInfo } from '../session/caller-session.js';
import { loadMcpSdk } from '../load-mcp-sdk.js';

/** Anything that calls tools of a server, such as the MCP SDK's `Client`. */
export interface ToolCaller {
  callTool(request: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>;
}

/** A server that is protected and not connected; it may be any that `protect` takes. */
export interface ConnectableServer {
  connect(transport: never): Promise<unknown>;
}

/** A real MCP client, in memory, on a protected server. */
export interface TestClient extends ToolCaller {
  readonly mcp: Client;
  /** What this caller sees beyond the login tools. */
  toolNames(): Promise<string[]>;
  callTool(request: { name: string; arguments?: Record<string, unknown> }): Promise<CallToolResult>;
  /** Signs in as one of the Manager's people; another login ends the one before it. */
  signIn(email: string): Promise<UserInfo>;
  signOut(): Promise<void>;
  close(): Promise<void>;
}

type Approve = (authorizationUrl: string, email: string) => string;

const loginTools: ReadonlySet<string> = new Set(oauthToolNames);

export async function connectTestClient(server: ConnectableServer, approve: Approve): Promise<TestClient> {
  const [{ Client }, { InMemoryTransport }] = await Promise.all([
    loadMcpSdk('client/index.js'),
    loadMcpSdk('inMemory.js'),
  ]);
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const mcp = new Client({ name: 'authsec test client', version: '1.0.0' });
  const both = [server.connect(serverSide as never), mcp.connect(clientSide)];
  await Promise.all(both).catch(async (error: unknown) => {
    await mcp.close();
    throw error;
  });
  return {
    mcp,
    async toolNames() {
      const { tools } = await mcp.listTools();
      return tools.map(({ name }) => name).filter((name) => !loginTools.has(name));
    },
    callTool: async (request) => (await mcp.callTool(request)) as CallToolResult,
    signIn: (email) => signIn(mcp, email, approve),
    signOut: async () => void (await callLoginTool(mcp, 'oauth_logout', {})),
    close: () => mcp.close(),
  };
}

/** The login as a person and a model do it: `oauth_start`, the browser, `oauth_authenticate`. */
export async function signIn(client: ToolCaller, email: string, approve: Approve): Promise<UserInfo> {
  const started = await callLoginTool(client, 'oauth_start', {});
  const code = approve(String(started['authorization_url']), email);
  const session = { session_id: started['session_id'], code };
  const { user_info: userInfo } = await callLoginTool(client, 'oauth_authenticate', session);
  return userInfo as UserInfo;
}

async function callLoginTool(
  client: ToolCaller,
  name: string,
  args: Record<string, unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = (await client.callTool({ name, arguments: args })) as Partial<CallToolResult>;
  const said = answer.structuredContent;
  if (!said || answer.isError) {
    throw new Error(
      `${name}: ${said ? `${String(said['error'])}: ${String(said['message'])}` : 'is this server protected?'}`,
    );
  }
  return said;
}
