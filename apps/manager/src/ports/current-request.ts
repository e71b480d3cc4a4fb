import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request that is being answered; each log line written on its behalf carries it. */
export interface RequestFacts {
  readonly request_id: string;
  trace_id?: string;
  tenant?: string;
  decision_id?: string;
}

const requests = new AsyncLocalStorage<RequestFacts>();

/** Undefined outside of a request. */
export function currentRequest(): RequestFacts | undefined {
  return requests.getStore();
}

/** Whose request it turned out to be. */
export function noteTenant(tenantId: string): void {
  const facts = requests.getStore();
  if (facts) facts.tenant = tenantId;
}

/** The decision that the request asked for, or that it hung on. */
export function noteDecision(decisionId: string): void {
  const facts = requests.getStore();
  if (facts) facts.decision_id = decisionId;
}

/** For what happens by itself, on a connection that some request happened to open. */
export function outsideRequest<Result>(run: () => Result): Result {
  return requests.exit(run);
}

/** Runs what the request sets off, however far it goes, on its behalf. */
export function runForRequest<Result>(facts: RequestFacts, run: () => Result): Result {
  return requests.run(facts, run);
}
