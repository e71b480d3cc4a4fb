import type { Browser } from 'playwright-core';
import type { DevFile } from '../../src/dev/dev-file.js';
import { connectPerson, type McpPerson } from './mcp-person.js';
import { signIn } from './sign-in.js';

type Person = DevFile['tenants'][number]['people'][number];

/** A real MCP client over HTTP, signed in as the person in a real browser. */
export async function connectSignedIn(browser: Browser, mcpUrl: string, person: Person): Promise<McpPerson> {
  const client = await connectPerson(mcpUrl);
  const { structuredContent } = await client.call('oauth_start');
  const { session_id, authorization_url } = structuredContent as Record<string, string>;
  const code = await signIn({ browser, authorizationUrl: authorization_url ?? '', ...person });
  const answer = await client.call('oauth_authenticate', { session_id, code });
  if (answer.isError) throw new Error(`${person.email} is not signed in: ${JSON.stringify(answer)}`);
  return client;
}
