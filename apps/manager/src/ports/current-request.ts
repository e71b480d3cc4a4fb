import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request that is being answered; each log line written on its behalf carries it. */
export interface RequestFacts {
  readonly request_id: string;
  trace_id?: string;
  /** Of the request's own span, where there is one. */
  span_id?: string;
  tenant?: string;
  /** The application that asks. */
  client_id?: string;
  decision_id?: string;
  /** Of a token request: one that we know, or `_OTHER`. */
  grant_type?: string;
  /** Why there was no token: a code of RFC 6749 and its like. */
  oauth_error?: string;
}

const requests = new AsyncLocalStorage<RequestFacts>();

/** Undefined outside of a request. */
export function currentRequest(): RequestFacts | undefined {
  return requests.getStore();
}

/** What the request turned out to be: whose it is, the decision that it asked for or hung on, a grant. Never a secret. */
export function noteFacts(found: Omit<Partial<RequestFacts>, 'request_id'>): void {
  const facts = requests.getStore();
  if (facts) Object.assign(facts, found);
}

/** For what happens by itself, on a connection that some request happened to open. */
export function outsideRequest<Result>(run: () => Result): Result {
  return requests.exit(run);
}

/** Runs what the request sets off, however far it goes, on its behalf. */
export function runForRequest<Result>(facts: RequestFacts, run: () => Result): Result {
  return requests.run(facts, run);
}
