import { assertOwn, type OAuthTool } from './oauth-tool.js';
import { inputSchema, ownSessionId, readArguments } from './tool-arguments.js';
import { outputSchema, toolNamesSchema, userInfoSchema } from './tool-result.js';

const messages = {
  signed_out: 'Nobody is signed in. Call oauth_start to begin.',
  pending: 'A login waits for its code: call oauth_authenticate with session_id and the code that the page shows.',
  authenticated: 'Signed in.',
  policy_unavailable: 'Signed in, but the rights cannot be judged at the moment: try again in some seconds.',
  session_expired: 'The login is over: call oauth_start to sign in again.',
} as const;

export const oauthStatus: OAuthTool = {
  definition: {
    name: 'oauth_status',
    title: 'Sign in: status',
    description: 'Tells whether somebody is signed in in this MCP session, who, and whether a login is pending.',
    inputSchema: inputSchema(ownSessionId),
    outputSchema: outputSchema(
      {
        status: { enum: Object.keys(messages) },
        session_id: { type: ['string', 'null'] },
        user_info: userInfoSchema,
        accessible_tools: toolNamesSchema,
        pending_login: {
          type: 'object',
          properties: {
            session_id: { type: 'string' },
            authorization_url: { type: 'string' },
            expires_at: { type: 'string' },
          },
          required: ['session_id', 'authorization_url', 'expires_at'],
        },
      },
      ['status', 'session_id', 'message'],
    ),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  async call({ login, server, args }) {
    assertOwn(login, readArguments(args, ownSessionId).session_id);
    const state = login.state();
    const pending = login.pending();
    const status =
      state.kind === 'active'
        ? 'authenticated'
        : state.kind === 'unjudgeable'
          ? state.code
          : pending
            ? 'pending'
            : 'signed_out';
    return {
      status,
      session_id: login.boundSessionId() ?? pending?.sessionId ?? null,
      message: messages[status],
      ...(state.kind === 'active'
        ? { user_info: state.userInfo, accessible_tools: await server.accessibleTools() }
        : {}),
      ...(pending
        ? {
            pending_login: {
              session_id: pending.sessionId,
              authorization_url: pending.authorizationUrl,
              expires_at: pending.expiresAt,
            },
          }
        : {}),
    };
  },
};
