import type { OAuthTool } from './oauth-tool.js';
import { inputSchema, readArguments } from './tool-arguments.js';
import { outputSchema } from './tool-result.js';

const instructions =
  'Show authorization_url to the person and ask them to open it in their browser, sign in and approve. ' +
  'The last page shows a code: ask for it and call oauth_authenticate with this session_id and that code.';

const loopbackInstructions =
  'Show authorization_url to the person and ask them to open it in a browser on this same computer, sign in and approve. ' +
  'Nothing has to be copied: call oauth_authenticate with this session_id now, it waits for them.';

export const oauthStart: OAuthTool = {
  definition: {
    name: 'oauth_start',
    title: 'Sign in: start',
    description:
      'Starts signing in the person whom you work for; more tools appear afterwards. Returns an authorization_url for them to open in their browser. Starting again voids a login that is still pending.',
    inputSchema: inputSchema({}),
    outputSchema: outputSchema(
      {
        status: { const: 'pending' },
        session_id: { type: 'string' },
        authorization_url: { type: 'string' },
        expires_at: { type: 'string' },
        instructions: { type: 'string' },
      },
      ['status', 'session_id', 'authorization_url', 'expires_at', 'instructions'],
    ),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  },
  async call({ login, server, args, signal }) {
    readArguments(args, {});
    const client = { name: server.clientName(), address: server.clientAddress?.() };
    const { sessionId, authorizationUrl, expiresAt, loopback } = await login.start(client, signal);
    return {
      status: 'pending',
      session_id: sessionId,
      authorization_url: authorizationUrl,
      expires_at: expiresAt,
      instructions: loopback ? loopbackInstructions : instructions,
    };
  },
};
