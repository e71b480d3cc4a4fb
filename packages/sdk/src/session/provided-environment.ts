import { type AuthSecEnvironment, systemEnvironment } from './login-service.js';

type Fetch = typeof globalThis.fetch;
const provided = new WeakMap<Fetch, AuthSecEnvironment>();

/** From now on whatever reaches its Manager by this `fetch` lives by this environment: a Manager in memory owns its time. */
export function provideEnvironment(fetch: Fetch, environment: AuthSecEnvironment): void {
  provided.set(fetch, environment);
}

export function environmentFor(fetch: Fetch | undefined): AuthSecEnvironment {
  return (typeof fetch === 'function' ? provided.get(fetch) : undefined) ?? systemEnvironment();
}
