import type { SessionState } from '@authsec/manager-client';
import type { LoginEnding } from '../grants/bound-login.js';
import { assertOwn, type OAuthTool } from './oauth-tool.js';
import { inputSchema, ownSessionId, readArguments } from './tool-arguments.js';
import { outputSchema, toolNamesSchema, userInfoSchema } from './tool-result.js';

const messages = {
  signed_out: 'Nobody is signed in. Call oauth_start to begin.',
  pending:
    'A login waits for the person: call oauth_authenticate with session_id, and the code where the page shows one.',
  authenticated: 'Signed in.',
  restored: 'Signed in: restored from an earlier login on this computer, until oauth_logout.',
  policy_unavailable: 'Signed in, but the rights cannot be judged at the moment: try again in some seconds.',
  session_expired: 'The login is over: call oauth_start to sign in again.',
} as const;

type EndReason = Extract<SessionState, { status: 'ended' }>['reason'];
const endings: Readonly<Record<EndReason, string>> = {
  revoked: 'it was revoked at the authorization server',
  expired: 'its time was over',
  logged_out: 'it was signed out elsewhere',
  user_disabled: 'its account was disabled, and can sign in again only after an administrator has enabled it',
  unknown: 'the authorization server does not confirm its rights any more',
};

function isEndReason(reason: string): reason is EndReason {
  return Object.hasOwn(endings, reason);
}

/** What the caller is told of a login that ended; `next_step` where nothing else was begun since. */
function tellEnding({ reason: said, at }: LoginEnding, isPending: boolean) {
  const reason = isEndReason(said) ? said : 'unknown';
  const told = { login_ended: { reason, at } };
  if (isPending) return told;
  return {
    ...told,
    message: `The login of this MCP session has ended: ${endings[reason]}. Nobody is signed in.`,
    next_step: 'Call oauth_start to sign in again.',
  };
}

export const oauthStatus: OAuthTool = {
  definition: {
    name: 'oauth_status',
    title: 'Sign in: status',
    description: 'Tells whether somebody is signed in in this MCP session, who, and whether a login is pending.',
    inputSchema: inputSchema(ownSessionId),
    outputSchema: outputSchema(
      {
        status: { enum: ['signed_out', 'pending', 'authenticated', 'policy_unavailable', 'session_expired'] },
        session_id: { type: ['string', 'null'] },
        user_info: userInfoSchema,
        restored: { type: 'boolean', description: 'The person signed in before this server was started.' },
        accessible_tools: toolNamesSchema,
        login_ended: {
          type: 'object',
          description: 'The login of this MCP session ended, and not by its oauth_logout; until the next login.',
          properties: {
            reason: { enum: Object.keys(endings) },
            at: { type: 'string', description: 'When this server learned of it.' },
          },
          required: ['reason', 'at'],
        },
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
  async call({ login, server, args, signal }) {
    await login.restored(signal);
    assertOwn(login, readArguments(args, ownSessionId).session_id);
    const state = login.state();
    const pending = login.pending();
    const ending = login.ending();
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
      message: messages[status === 'authenticated' && login.isRestored() ? 'restored' : status],
      ...(state.kind === 'active'
        ? { restored: login.isRestored(), user_info: state.userInfo, accessible_tools: await server.accessibleTools() }
        : {}),
      ...(ending ? tellEnding(ending, pending !== undefined) : {}),
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
