import type { Request, Response } from 'express';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import type { Site } from '../../pages/page.js';
import type { LoginRequest } from '../../pages/login-request.js';

/** A login that waits for its person. */
export interface PendingLogin {
  readonly id: string;
  /** Who they are, or, that being known, whether they approve. */
  readonly step: 'sign-in' | 'approval';
  readonly request: LoginRequest;
  /** The names of the scopes that approving gives. */
  readonly scopes: readonly string[];
  /** The person that the browser is signed in as. */
  readonly userId: string | undefined;
  readonly emailHint: string | undefined;
}

/** The logins of one tenant as the authorization server keeps them. The functions that decide give the URL to go on to. */
export interface LoginInteractions {
  readonly tenantId: string;
  readonly site: Site;
  db(): Promise<TenantDatabase>;
  /** The one that this browser began and that the path names; undefined where there is none (any more). */
  find(request: Request, response: Response): Promise<PendingLogin | undefined>;
  /** Who is signed in at this browser now, whatever the login began with. */
  personNow(request: Request, response: Response): Promise<string | undefined>;
  /** `methods`: how, as of RFC 8176; default a password. */
  signedIn(request: Request, response: Response, userId: string, methods?: readonly string[]): Promise<string>;
  /** Somebody else is to sign in. */
  signedOut(request: Request, response: Response): Promise<string>;
  approved(request: Request, response: Response): Promise<string>;
  refused(request: Request, response: Response): Promise<string>;
}
