import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { signIn } from './sign-in.js';

const require = createRequire(new URL('../../apps/demo-mcp/package.json', import.meta.url));
const load = (path) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${path}`)).href);
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');

/** A real MCP client over HTTP, signed in as the person without a browser: `call(tool, args)` and `close()`. */
export async function connectSignedIn(mcpUrl, person) {
  const client = new Client({ name: 'benchmark', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl)));
  const call = (name, args = {}) => client.callTool({ name, arguments: args });
  const { session_id, authorization_url } = (await call('oauth_start')).structuredContent;
  const code = await signIn(authorization_url, person);
  const { isError, content } = await call('oauth_authenticate', { session_id, code });
  if (isError) throw new Error(`nobody is signed in: ${JSON.stringify(content)}`);
  return { call, close: () => client.close() };
}
