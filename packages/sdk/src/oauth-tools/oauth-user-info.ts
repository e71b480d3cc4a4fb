import { AuthSecError } from '../authsec-error.js';
import { assertOwn, type OAuthTool } from './oauth-tool.js';
import { inputSchema, ownSessionId, readArguments } from './tool-arguments.js';
import { outputSchema, userInfoSchema } from './tool-result.js';

export const oauthUserInfo: OAuthTool = {
  definition: {
    name: 'oauth_user_info',
    title: 'Who is signed in',
    description: 'Tells who is signed in in this MCP session and what they hold now: roles, groups, scopes, resources.',
    inputSchema: inputSchema(ownSessionId),
    outputSchema: outputSchema(userInfoSchema.properties, userInfoSchema.required),
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  async call({ login, args }) {
    assertOwn(login, readArguments(args, ownSessionId).session_id);
    const state = login.state();
    if (state.kind === 'anonymous') throw new AuthSecError('not_signed_in', 'nobody is signed in');
    if (state.kind === 'unjudgeable') throw new AuthSecError(state.code, 'the rights cannot be judged');
    return { ...state.userInfo };
  },
};
