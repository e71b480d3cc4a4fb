import { createLoginService, type AuthSecOptions } from '../../src/session/login-service.js';
import { systemClock, type Clock } from '../../src/clock.js';
import type { CallerSession, GuardedServer, OAuthToolName, ToolResult } from '../../src/session/caller-session.js';
import type { FakeManager } from './fake-manager.js';

export interface LogLine {
  level: string;
  message: string;
  details: unknown;
}

/** A login service on the fake Manager, with a log that tests read. */
export function createService(
  manager: FakeManager,
  options: Partial<AuthSecOptions> & { clock?: Clock; random?: () => number; stateFolder?: string } = {},
) {
  const { clock = systemClock, random = () => 0.5, stateFolder, ...rest } = options;
  const lines: LogLine[] = [];
  const at = (level: string) => (message: string, details?: unknown) => void lines.push({ level, message, details });
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const { issuer, clientId, clientSecret } = manager;
  const credentials = manager.isPublic ? {} : { clientSecret };
  const service = createLoginService(
    { issuer, clientId, ...credentials, logger, ...rest },
    { clock, debug: false, random, ...(stateFolder !== undefined && { stateFolder }) },
  );
  return { ...service, lines };
}
export type Service = ReturnType<typeof createService>;

/** Over stdio. */
export const local = (): GuardedServer => ({ ...guarded, isLocal: () => true });

export const guarded: GuardedServer = {
  accessibleTools: async () => ['admin_dashboard'],
  clientName: () => 'a test client',
  hasTransportSession: () => true,
};

const never = new AbortController().signal;

/** Calls a login tool and gives its structured content; `content` must say the same. */
export async function call(session: CallerSession, name: OAuthToolName, args: Record<string, unknown> = {}) {
  const result: ToolResult = await session.callOAuthTool(name, args, never);
  const said = result.structuredContent as Record<string, any>;
  if (JSON.stringify(said) !== result.content[0]?.text) throw new Error('content and structuredContent differ');
  if ((result.isError === true) !== 'error' in said) throw new Error('isError and error differ');
  return said;
}

/** Starts, approves in the fake's browser, and authenticates. */
export async function signIn(manager: FakeManager, session: CallerSession, sub = 'ada') {
  const started = await call(session, 'oauth_start');
  const code = manager.approve(started.authorization_url, sub);
  const answer = await call(session, 'oauth_authenticate', { session_id: started.session_id, code });
  const sid = [...manager.sessions.values()].find(({ mcpSession }) => mcpSession === started.session_id)?.sid ?? '';
  return { sessionId: started.session_id as string, code, answer, sid };
}
