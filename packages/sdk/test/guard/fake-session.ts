import { type Grants, createPrincipal } from '@authsec/rbac-core';
import type {
  CallerSession,
  CallerState,
  GuardedServer,
  OAuthToolName,
  ToolResult,
  UserInfo,
} from '../../src/session/caller-session.js';
import { oauthToolNames } from '../../src/session/caller-session.js';

const nothing: Grants = { roles: [], groups: [], scopes: [], resources: [], permissions: [] };

export function person(email: string, held: Partial<Grants> = {}): Extract<CallerState, { kind: 'active' }> {
  const grants = { ...nothing, ...held };
  const { permissions: _, ...named } = grants;
  const userInfo: UserInfo = { email, sub: `sub-${email}`, tenant_id: 'acme', ...named };
  return { kind: 'active', principal: createPrincipal(grants), userInfo };
}

export function unjudgeable(email: string, held: Partial<Grants> = {}): CallerState {
  return { kind: 'unjudgeable', code: 'policy_unavailable', shownTo: person(email, held).principal };
}

export const admin = person('ada@acme.test', { roles: ['admin'] });
export const developer = person('dev@acme.test', { roles: ['developer'] });

export interface FakeSession extends CallerSession {
  become(state: CallerState): void;
  /** As `become`, without telling. */
  setSilently(state: CallerState): void;
  readonly guarded: GuardedServer;
  readonly calls: { name: OAuthToolName; args: Readonly<Record<string, unknown>>; signal: AbortSignal }[];
  onOAuthCall: (
    name: OAuthToolName,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ) => Promise<ToolResult> | ToolResult;
  stateReads: number;
  closed: number;
  listenerCount(): number;
}

/** A login whose state the test switches. */
export function createFakeSession(guarded: GuardedServer): FakeSession {
  let state: CallerState = { kind: 'anonymous' };
  const listeners = new Set<() => void>();
  const session: FakeSession = {
    guarded,
    calls: [],
    stateReads: 0,
    closed: 0,
    listenerCount: () => listeners.size,
    oauthTools: oauthToolNames.map((name) => ({ name, description: name, inputSchema: { type: 'object' } })),
    onOAuthCall: (name) => ({ content: [{ type: 'text', text: name }], structuredContent: { called: name } }),
    state() {
      session.stateReads += 1;
      return state;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async callOAuthTool(name, args, signal) {
      session.calls.push({ name, args, signal });
      return session.onOAuthCall(name, args, signal);
    },
    async close() {
      session.closed += 1;
    },
    become(next) {
      state = next;
      for (const listener of listeners) listener();
    },
    setSilently(next) {
      state = next;
    },
  };
  return session;
}
