import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from '../author-log.js';
import { AuthSecError } from '../authsec-error.js';
import type { CallServices } from '../services/call-services.js';
import type { CallerSession, UserInfo } from '../session/caller-session.js';
import type { Verdict } from './verdict.js';

/** One message that a guard let through, as it is carried to the handler. */
export interface Call {
  /** The protected server. */
  readonly owner: object;
  user: UserInfo | undefined;
  /** Of a `tools/call`: judges again, now. */
  readonly lookAgain?: () => Verdict;
  /** Of a `tools/call`: what its services are opened from. */
  readonly tool?: { readonly name: string; readonly session: CallerSession; readonly log: Logger };
  /** Opened with their first use; they end with the call. */
  services?: CallServices;
  /** It was answered, cancelled or left: what it opens from now on is over as well. */
  isOver?: boolean;
  /** What the second look said, if not yes: it becomes the answer. */
  refused?: Exclude<Verdict, { kind: 'allowed' }>;
}

/** What AuthSec adds to the arguments of a tool that declares an input schema, after they were validated. */
export type WithUserInfo<Args = unknown> = Args & { readonly _user_info?: UserInfo };

const calls = new AsyncLocalStorage<Call>();
const snapshots = new WeakMap<UserInfo, UserInfo>();
const issued = new WeakSet<object>();

/** The person on whose behalf this code runs: in tool, resource and prompt handlers. Undefined before login. */
export function currentUser(): UserInfo | undefined {
  return calls.getStore()?.user;
}

/** The person in a handler's arguments. Throws AuthSecError `user_info_missing` where AuthSec put none there (a public tool before login). */
export function userInfoOf(args: unknown): UserInfo {
  const user = (args as { readonly _user_info?: unknown } | null | undefined)?._user_info;
  if (typeof user === 'object' && user !== null && issued.has(user)) return user as UserInfo;
  throw new AuthSecError('user_info_missing', 'these arguments carry no person: the tool is public, or not protected');
}

/** A frozen copy of a person, the same one for the same person object, known to be ours ever after. */
export function snapshotUser(userInfo: UserInfo): UserInfo {
  const known = snapshots.get(userInfo);
  if (known) return known;
  const { email, sub, tenant_id, roles, groups, scopes, resources } = userInfo;
  const snapshot: UserInfo = Object.freeze({
    email,
    sub,
    tenant_id,
    roles: Object.freeze([...roles]),
    groups: Object.freeze([...groups]),
    scopes: Object.freeze([...scopes]),
    resources: Object.freeze([...resources]),
  });
  snapshots.set(userInfo, snapshot);
  issued.add(snapshot);
  return snapshot;
}

/** Runs what the message sets off, however far it goes, as this call. */
export function runAs<Result>(call: Call, run: () => Result): Result {
  return calls.run(call, run);
}

/** The `authInfo` of a signed-in call. The private field proves that it is ours; a WeakMap would cost each call more. */
export class CallAuthInfo {
  readonly #call: Call;

  constructor(fields: object, call: Call) {
    Object.assign(this, fields);
    this.#call = call;
  }

  static callOf(value: unknown): Call | undefined {
    return typeof value === 'object' && value !== null && #call in value ? value.#call : undefined;
  }
}

/** The call that a handler belongs to: by the `authInfo` that it was given, or by the asynchronous context. */
export function callOf(extra: unknown): Call | undefined {
  const authInfo = (extra as { readonly authInfo?: unknown } | null | undefined)?.authInfo;
  return CallAuthInfo.callOf(authInfo) ?? calls.getStore();
}
