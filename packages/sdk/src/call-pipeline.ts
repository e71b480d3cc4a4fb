import { decide, explain } from '@authsec/rbac-core';
import type { Logger } from './author-log.js';
import { AuthSecError } from './authsec-error.js';
import { callOf, snapshotUser } from './guard/caller-context.js';
import { isPlainObject } from './guard/json-rpc.js';
import { dropReservedArguments } from './guard/reserved-names.js';
import type { Verdict } from './guard/verdict.js';
import type { CallerSession, CallerState, UserInfo } from './session/caller-session.js';
import type { ToolRegistry } from './tool-registry.js';

/** The way of one call: identify, load the grants, decide. `protectHandler` does the rest: look again, inject, call. */
export interface CallPipeline {
  /** Who is calling, at this moment: asked once a message. Nobody, when asking fails. */
  readonly identify: () => CallerState;
  readonly decide: (state: CallerState, tool: string) => Verdict;
}

export function createCallPipeline(options: {
  readonly session: Pick<CallerSession, 'state'>;
  readonly registry: Pick<ToolRegistry, 'ruleOf'>;
  readonly log: Logger;
}): CallPipeline {
  const { session, registry, log } = options;

  return {
    identify() {
      try {
        return session.state();
      } catch (error) {
        log.error('nobody is signed in: the state of the session could not be read', { error: String(error) });
        return { kind: 'anonymous' };
      }
    },
    decide(state, tool) {
      const rule = registry.ruleOf(tool);
      if (rule.public) return { kind: 'allowed', user: userOf(state) };
      if (state.kind === 'anonymous')
        return { kind: 'hidden', code: 'not_signed_in', why: () => `${JSON.stringify(tool)} needs a signed-in person` };
      const judged = state.kind === 'active' ? state.principal : state.shownTo;
      try {
        const decision = decide(judged, rule.requirement);
        if (!decision.allowed) {
          return { kind: 'hidden', code: decision.code, why: () => explain(decision, { target: tool }) };
        }
      } catch (error) {
        const why = () => `${JSON.stringify(tool)} could not be decided: ${String(error)}`;
        return { kind: 'hidden', code: 'undecidable', why };
      }
      return state.kind === 'active'
        ? { kind: 'allowed', user: userOf(state) }
        : { kind: 'unavailable', code: state.code };
    },
  };
}

/** The person as handlers are given them. */
export function userOf(state: CallerState): UserInfo | undefined {
  return state.kind === 'active' ? snapshotUser(state.userInfo) : undefined;
}

export type ToolHandler = (...args: unknown[]) => unknown;

/**
 * The handler of a tool, which runs only inside a call that a guard of `owner` let through. It looks a second time, since
 * the arguments took time to validate, and puts `_user_info` beside them.
 */
export function protectHandler(owner: object, handler: ToolHandler): ToolHandler {
  return function protectedHandler(this: unknown, ...given: unknown[]): unknown {
    const call = callOf(given.at(-1));
    if (call?.owner !== owner || call.lookAgain === undefined) {
      throw new AuthSecError('not_guarded', 'a protected tool was called around its guard');
    }
    const verdict = call.lookAgain();
    if (verdict.kind !== 'allowed') {
      call.refused = verdict;
      throw new AuthSecError('not_guarded', 'the rights of the caller changed while the arguments were validated');
    }
    const { user } = verdict;
    const [args, ...rest] = given;
    return given.length < 2 ? handler.apply(this, given) : handler.call(this, withUserInfo(args, user), ...rest);
  };
}

/** What a schema made into something else than a plain object is left as it is: `currentUser()` has the person. */
function withUserInfo(args: unknown, user: UserInfo | undefined): unknown {
  if (!isPlainObject(args)) return args;
  const own = dropReservedArguments(args);
  return user === undefined ? own : { ...own, _user_info: user };
}
