import type { Application } from '@authsec/prisma/tenant';
import { AppError, type FieldError } from '../../errors/app-error.js';
import { type ClientKey, clientKeyProblems } from './client-keys.js';

/** The `aud` of a person's token for this application. */
export function resourceOf(application: Pick<Application, 'clientId' | 'resourceUrl'>): string {
  return application.resourceUrl ?? `urn:authsec:application:${application.clientId}`;
}

export interface NewApplication {
  readonly name: string;
  /** Default: a random one. */
  readonly clientId?: string;
  /** No secret: what runs on the person's own machine. Default false. */
  readonly publicClient?: boolean;
  /** Public keys with which it proves who it is (private_key_jwt); it has no secret then. */
  readonly keys?: readonly ClientKey[];
  readonly redirectUris?: readonly string[];
  readonly grantTypes?: readonly GrantType[];
  /**
   * May end a login on the completion page (response mode `oob`). Without it a login ends at a redirect only: for an
   * application on the person's own machine, on loopback.
   */
  readonly completionPage?: boolean;
  /** The completion page also offers the JWT. */
  readonly pasteToken?: boolean;
  /** The MCP URL: what `aud` of a person's token is. */
  readonly resourceUrl?: string;
  /** The names of the scopes that it may ask for; default none. */
  readonly scopes?: readonly string[];
}

export const grantTypes = ['authorization_code', 'client_credentials', 'refresh_token'] as const;
export type GrantType = (typeof grantTypes)[number];

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** RFC 8252: all redirects are loopback, so any port must do. */
export function isNative(redirectUris: readonly string[]): boolean {
  return redirectUris.length > 0 && redirectUris.every((uri) => isHttpLoopback(uri));
}

function isHttpLoopback(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && loopback.has(url.hostname);
}

/** AppError 'invalid_request' naming each field that cannot be. */
export function assertNewApplication(application: NewApplication): void {
  const fields: FieldError[] = [];
  const refuse = (pointer: string, detail: string) => fields.push({ pointer, detail });
  if (application.name.trim() === '') refuse('/name', 'must not be empty');
  if (application.clientId !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{1,99}$/.test(application.clientId)) {
    refuse('/client_id', 'must be 2 to 100 letters, digits, dots, hyphens or underscores');
  }
  (application.redirectUris ?? []).forEach((uri, index) => {
    const problem = redirectProblem(uri);
    if (problem) refuse(`/redirect_uris/${index}`, problem);
  });
  if (application.resourceUrl !== undefined) {
    const url = URL.parse(application.resourceUrl);
    if (!url || !/^https?:$/.test(url.protocol) || url.hash || url.username || url.password) {
      refuse('/resource_url', 'must be an http(s) URL without fragment and credentials');
    }
  }
  if (application.publicClient && (application.grantTypes ?? []).includes('client_credentials')) {
    refuse('/grant_types', 'client_credentials needs a client that can keep a secret');
  }
  if (application.pasteToken && (application.publicClient || !application.completionPage)) {
    refuse('/paste_token', 'needs the completion page and a client that can keep a secret');
  }
  if (application.keys) {
    fields.push(...clientKeyProblems(application.keys));
    if (application.publicClient) refuse('/jwks', 'a public client proves nothing');
  }
  if (fields.length > 0) throw new AppError('invalid_request', 'the application is not valid', { fields });
}

function redirectProblem(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url) return 'must be an absolute URL';
  if (uri.includes('#')) return 'must have no fragment';
  if (url.username || url.password) return 'must have no credentials';
  if (url.protocol === 'https:' || isHttpLoopback(uri)) return undefined;
  return 'must be https, or http on a loopback address';
}
