import { AuthSecError } from '../authsec-error.js';
import { assertOwn, type OAuthTool } from './oauth-tool.js';
import { ArgumentError, inputSchema, readArguments, type TextArgument } from './tool-arguments.js';
import { outputSchema, toolNamesSchema, userInfoSchema } from './tool-result.js';

const expected = {
  session_id: { required: true, maxLength: 128, description: 'What oauth_start returned in this MCP session.' },
  code: {
    maxLength: 2_048,
    description:
      'The code that the last page of the sign-in shows to the person; leave it out where the sign-in comes back by itself.',
  },
  jwt_token: { maxLength: 16_384, description: 'Only where the last page offers a token, instead of code.' },
} as const satisfies Record<string, TextArgument>;

const waiting =
  'Waiting for the person: ask them to open the authorization_url, sign in and approve; nothing has to be pasted. Then call oauth_authenticate with session_id again.';

const askForCode =
  'Waiting for the person: ask them to open the authorization_url, sign in and approve, and to give you the code that the last page shows; then call oauth_authenticate with session_id and code.';

export const oauthAuthenticate: OAuthTool = {
  definition: {
    name: 'oauth_authenticate',
    title: 'Sign in: finish',
    description:
      'Finishes the login that oauth_start began, with the code that the person got in their browser; or waits for it, where oauth_start says that it comes back by itself. Returns who is signed in and which tools are there now.',
    inputSchema: inputSchema(expected),
    outputSchema: outputSchema(
      {
        status: { enum: ['authenticated', 'pending'] },
        session_id: { type: 'string' },
        user_info: userInfoSchema,
        accessible_tools: toolNamesSchema,
        expires_at: { type: 'string' },
      },
      ['status', 'session_id'],
    ),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  },
  async call({ login, server, args, signal }) {
    const { session_id: sessionId = '', code, jwt_token: jwt } = readArguments(args, expected);
    if (code !== undefined && jwt !== undefined) throw new ArgumentError('jwt_token: either this or code, not both');
    const alreadyIn = code === undefined && jwt === undefined && login.boundSessionId() !== undefined;
    if (alreadyIn && login.pending()?.sessionId !== sessionId) assertOwn(login, sessionId);
    else {
      const pending = login.pendingFor(sessionId);
      if (code !== undefined) await login.authenticate(sessionId, { kind: 'code', value: code });
      else if (jwt !== undefined) await login.authenticate(sessionId, { kind: 'token', value: jwt });
      else if (pending.loopback) await login.awaitReturn(pending, signal);
      if (login.boundSessionId() !== sessionId) {
        const { expiresAt, loopback } = login.pendingFor(sessionId);
        const message = loopback ? waiting : askForCode;
        return { status: 'pending', session_id: sessionId, expires_at: expiresAt, message };
      }
    }
    const state = login.state();
    if (state.kind === 'unjudgeable') throw new AuthSecError(state.code, 'the rights cannot be judged');
    if (state.kind === 'anonymous') throw new AuthSecError('login_superseded', 'the login ended at once');
    return {
      status: 'authenticated',
      session_id: sessionId,
      user_info: state.userInfo,
      accessible_tools: await server.accessibleTools(),
    };
  },
};
