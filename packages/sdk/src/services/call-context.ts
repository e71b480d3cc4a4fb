import { AuthSecError } from '../authsec-error.js';
import { type Call, callOf } from '../guard/caller-context.js';
import { type CallServices, createCallServices, type Services } from './call-services.js';

/** What a handler gets beside its arguments. */
export interface ToolCallContext {
  /** Aborted when the client cancels the call or is gone. */
  readonly signal: AbortSignal;
  /** The services that the tenant set up, in the name of the caller, for this call. */
  readonly services: Services;
}

/**
 * What the call of a tool that runs now may use, under any server that `protect` guards. Throws AuthSecError `not_guarded`
 * outside of one.
 */
export function callContext(): ToolCallContext {
  const { signal, services } = servicesOf(callOf(undefined));
  return { signal, services };
}

/** The services of a call, opened with their first use. */
export function servicesOf(call: Call | undefined): CallServices {
  if (!call?.tool) throw new AuthSecError('not_guarded', 'there is no call of a tool that AuthSec let through');
  const { name: tool, session, log } = call.tool;
  if (!call.services) {
    call.services = createCallServices({ call, tool, source: session.services, log });
    if (call.isOver) call.services.end();
  }
  return call.services;
}

/** The call is over, and so is what it got, and what it may yet ask for. A cancelled tool may still run, and so may a task. */
export function endServices(call: Call | undefined, mayStillRun = false): void {
  if (!call) return;
  call.isOver = true;
  call.services?.end(mayStillRun);
}
