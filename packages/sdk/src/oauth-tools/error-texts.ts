import type { LoginErrorCode } from '../authsec-error.js';

const startAgain = 'Call oauth_start and show the person the new authorization_url.';
const tellOperator =
  'Tell the person that the operator of this MCP server has to look at its log; signing in will not work before.';

/** What a model is told, so that it can tell the person what to do. */
export const errorTexts: Readonly<Record<LoginErrorCode, { readonly message: string; readonly nextStep: string }>> = {
  session_required: {
    message: 'This connection has no MCP session that a login could be bound to.',
    nextStep: 'Ask the person to connect by stdio or by a stateful Streamable HTTP session, then call oauth_start.',
  },
  session_closed: {
    message: 'This MCP session is over.',
    nextStep: 'Connect anew, then call oauth_start.',
  },
  invalid_arguments: {
    message: 'The arguments are not what this tool takes.',
    nextStep: "Correct the arguments according to the tool's input schema and call it again.",
  },
  too_many_attempts: {
    message: 'Too many attempts in a short time.',
    nextStep: 'Wait for a minute, then try again once; do not call this tool in a loop.',
  },
  no_pending_login: {
    message: 'No login is pending in this MCP session.',
    nextStep: startAgain,
  },
  login_expired: {
    message: 'This login took too long and is over.',
    nextStep: startAgain,
  },
  login_superseded: {
    message: 'This login was voided: another one was started, or the person was logged out, meanwhile.',
    nextStep: 'Go on with the newest login, or call oauth_start.',
  },
  login_refused: {
    message: 'The authorization server does not let this application sign people in as it is set up.',
    nextStep: tellOperator,
  },
  access_denied: {
    message: 'The person refused the sign-in.',
    nextStep: 'Ask the person whether they want to sign in; only if they do, call oauth_start again.',
  },
  session_id_mismatch: {
    message: 'This session_id is not the one of the login in this MCP session.',
    nextStep: 'Use the session_id that the latest oauth_start in this same MCP session returned, or call oauth_start.',
  },
  authentication_in_progress: {
    message: 'Another code is just being redeemed for this login.',
    nextStep: 'Call oauth_status in a few seconds.',
  },
  code_refused: {
    message: 'The code was not accepted: it is mistyped, too old, or was used before.',
    nextStep: `Ask the person to copy the code from the page again; if it is refused again, ${lowerFirst(startAgain)}`,
  },
  code_already_used: {
    message: 'This login is finished: its code works once.',
    nextStep: 'Nobody has to sign in again; call oauth_status to see who is signed in.',
  },
  paste_token_not_enabled: {
    message: 'This application does not take a pasted token.',
    nextStep: 'Ask the person for the code that the page shows, and call oauth_authenticate with it as code.',
  },
  token_invalid: {
    message: 'The token was not accepted.',
    nextStep: `${startAgain} If it happens again, the operator of this MCP server has to look at its log.`,
  },
  token_not_for_this_session: {
    message: 'The token belongs to another MCP session.',
    nextStep: startAgain,
  },
  token_already_used: {
    message: 'The token of this login was already used, or its code was.',
    nextStep: startAgain,
  },
  manager_unavailable: {
    message: 'The authorization server cannot be reached, or did not give an answer that can be relied on.',
    nextStep:
      'Wait for some seconds and call this tool again with the same arguments; if no login is pending then, call oauth_start.',
  },
  not_signed_in: {
    message: 'Nobody is signed in here.',
    nextStep: startAgain,
  },
  policy_unavailable: {
    message: 'Someone is signed in, but what they may do cannot be judged at the moment.',
    nextStep: 'Try again in some seconds; nobody has to sign in again.',
  },
  session_expired: {
    message: 'The login is over: its time ran out.',
    nextStep: startAgain,
  },
  internal_error: {
    message: 'Something went wrong in this MCP server.',
    nextStep: tellOperator,
  },
};

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
