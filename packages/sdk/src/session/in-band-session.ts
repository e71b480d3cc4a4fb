import { AuthSecError, isLoginErrorCode } from '../authsec-error.js';
import { oauthAuthenticate } from '../oauth-tools/oauth-authenticate.js';
import { oauthLogout } from '../oauth-tools/oauth-logout.js';
import { oauthStart } from '../oauth-tools/oauth-start.js';
import { oauthStatus } from '../oauth-tools/oauth-status.js';
import type { OAuthTool } from '../oauth-tools/oauth-tool.js';
import { oauthUserInfo } from '../oauth-tools/oauth-user-info.js';
import { createServiceSource } from '../services/create-service-source.js';
import { ArgumentError } from '../oauth-tools/tool-arguments.js';
import { toErrorResult, toResult } from '../oauth-tools/tool-result.js';
import {
  oauthToolNames,
  type CallerSession,
  type GuardedServer,
  type OAuthToolName,
  type ToolResult,
} from './caller-session.js';
import type { LoginContext } from './login-context.js';
import { LoginSession } from './login-session.js';

const tools: Readonly<Record<OAuthToolName, OAuthTool>> = {
  oauth_start: oauthStart,
  oauth_authenticate: oauthAuthenticate,
  oauth_status: oauthStatus,
  oauth_logout: oauthLogout,
  oauth_user_info: oauthUserInfo,
};
const definitions = oauthToolNames.map((name) => tools[name].definition);

/** The in-band login of one MCP transport session. */
export function createInBandSession(context: LoginContext, server: GuardedServer): CallerSession {
  const { log } = context;
  const listeners = new Set<() => void>();
  const closed = new AbortController();
  const changed = () => {
    for (const listener of listeners) {
      try {
        listener();
      } catch (error) {
        log.error('a listener of a login failed', { reason: error instanceof Error ? error.message : 'unknown' });
      }
    }
  };
  const login = new LoginSession(
    context,
    changed,
    () => server.isLocal?.() ?? false,
    () => server.manifestDigest?.(),
  );

  function failed(name: OAuthToolName, error: unknown): ToolResult {
    if (error instanceof ArgumentError) return toErrorResult('invalid_arguments', error.message);
    if (error instanceof AuthSecError && isLoginErrorCode(error.code)) {
      log.info(`${name} was refused`, { code: error.code, reason: error.message });
      return toErrorResult(error.code);
    }
    log.error(`${name} failed`, { reason: error instanceof Error ? error.name : 'unknown' });
    return toErrorResult('internal_error');
  }

  return {
    state: () => login.state(),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    oauthTools: definitions,
    services: createServiceSource(context, closed.signal, () => login.signedIn()),
    async callOAuthTool(name, args, signal) {
      try {
        if (!server.hasTransportSession()) throw new AuthSecError('session_required', 'there is no transport session');
        return toResult(await tools[name].call({ login, server, args, signal }));
      } catch (error) {
        return failed(name, error);
      }
    },
    async close() {
      listeners.clear();
      closed.abort();
      await login.close();
    },
  };
}
