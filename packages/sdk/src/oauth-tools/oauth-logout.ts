import { assertOwn, type OAuthTool } from './oauth-tool.js';
import { inputSchema, ownSessionId, readArguments } from './tool-arguments.js';
import { outputSchema } from './tool-result.js';

export const oauthLogout: OAuthTool = {
  definition: {
    name: 'oauth_logout',
    title: 'Sign out',
    description: 'Signs the person out of this MCP session and voids a pending login; their tools disappear.',
    inputSchema: inputSchema(ownSessionId),
    outputSchema: outputSchema({ status: { const: 'signed_out' } }, ['status', 'message']),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  },
  async call({ login, args }) {
    assertOwn(login, readArguments(args, ownSessionId).session_id);
    const ended = await login.logout();
    return {
      status: 'signed_out',
      message: ended
        ? 'Signed out.'
        : 'Signed out here. The authorization server could not be told yet; that is tried again in the background.',
    };
  },
};
