import { type AccessTokenSource, createClientCredentialsToken } from './access-token.js';
import { createCallRoute } from './call-route.js';
import { createFetchTransport } from './fetch-transport.js';
import { parseIssuer } from './issuer.js';
import { createChanges, type ChangeFeed } from './resources/changes.js';
import { createDecisions, type Decisions } from './resources/decisions.js';
import { createIdentityProviders, type IdentityProviders } from './resources/identity-providers.js';
import { createManifests, type Manifests } from './resources/manifests.js';
import { createServices, type Services } from './resources/services.js';
import { createSessions, type Sessions } from './resources/sessions.js';
import { createSigningKeys, type SigningKeys } from './resources/signing-keys.js';
import { createTenants, type Tenants } from './resources/tenants.js';
import { createUsers, type Users } from './resources/users.js';
import type { Transport } from './transport.js';

export interface ManagerClientOptions {
  /** `https://<manager>/t/<tenant>`. */
  issuer: string;
  clientId: string;
  /** Of a client that can keep one; a public client has an `accessToken` instead. */
  clientSecret?: string | undefined;
  /** Where tokens come from that are not the client's own: those of one login. */
  accessToken?: AccessTokenSource | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** Replaces `fetch`. */
  transport?: Transport | undefined;
  /** Milliseconds for one attempt; 10,000 unless told. */
  timeoutMs?: number | undefined;
  /** Further attempts where a repeat is safe; 2 unless told. */
  maxRetries?: number | undefined;
  maxResponseBytes?: number | undefined;
  /** Lifts 'http:// for loopback only'. */
  dangerouslyAllowHttp?: boolean | undefined;
}

/** The Manager's API as one application of one tenant. Every method rejects with a ManagerClientError. */
export interface ManagerClient {
  readonly issuer: string;
  readonly changes: ChangeFeed;
  readonly decisions: Decisions;
  readonly identityProviders: IdentityProviders;
  readonly manifests: Manifests;
  readonly services: Services;
  readonly sessions: Sessions;
  readonly signingKeys: SigningKeys;
  readonly tenants: Tenants;
  readonly users: Users;
}

/** Creates a client; nothing is sent before the first call. Throws a TypeError that names a bad option. */
export function createManagerClient(options: ManagerClientOptions): ManagerClient {
  const { clientId, clientSecret, timeoutMs = 10_000, maxRetries = 2, maxResponseBytes } = options;
  const issuer = parseIssuer(options.issuer, options);
  assertText('clientId', clientId);
  if (!options.accessToken) assertText('clientSecret', clientSecret);
  assertInteger('timeoutMs', timeoutMs, 1, 600_000);
  assertInteger('maxRetries', maxRetries, 0, 10);
  if (maxResponseBytes !== undefined) assertInteger('maxResponseBytes', maxResponseBytes, 1, 2 ** 30);
  if (options.fetch !== undefined && typeof options.fetch !== 'function') {
    throw new TypeError('fetch: must be a function');
  }

  const transport = options.transport ?? createFetchTransport({ fetch: options.fetch, maxResponseBytes });
  const token =
    options.accessToken ??
    createClientCredentialsToken({ issuer, clientId, clientSecret: clientSecret ?? '', transport, timeoutMs });
  const backoff = { baseMs: 200, maxMs: 5_000 };
  const { baseUrl } = issuer;
  const call = createCallRoute({ baseUrl, transport, token, timeoutMs, maxRetries, backoff, maxRetryAfterMs: 10_000 });
  return Object.freeze({
    issuer: issuer.issuer,
    changes: createChanges(call, timeoutMs),
    decisions: createDecisions(call),
    identityProviders: createIdentityProviders(call),
    manifests: createManifests(call),
    services: createServices(call),
    sessions: createSessions(call),
    signingKeys: createSigningKeys(call),
    tenants: createTenants(call),
    users: createUsers(call),
  });
}

function assertText(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${option}: must be a non-empty string`);
}

function assertInteger(option: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new TypeError(`${option}: must be a whole number from ${min} to ${max}`);
  }
}
