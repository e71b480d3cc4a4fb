import {
  createManagerClient,
  type ManagerClient,
  type ManagerClientOptions,
  type Services,
  type Sessions,
} from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { AuthSecError } from '../authsec-error.js';
import type { Clock } from '../clock.js';
import { createGrantStore, type GrantStore } from '../grants/grant-store.js';
import { createManifests, type Manifests } from '../manifest/manifests.js';
import type { Endings } from '../grants/endings.js';
import { createRevocations, type Revocations } from '../grants/revocations.js';
import { createLeaseEndings } from '../services/lease-endings.js';
import { createSessionToken, type SessionTokenOptions } from './session-token.js';
import type { LoginTokens } from './token-endpoint.js';

/** The Manager's API as the logins of an application reach it; each its own where the application is a public client. */
export interface ManagerAccess {
  readonly sessions: Pick<Sessions, 'bind' | 'renew'>;
  readonly services: Pick<Services, 'issueCredential' | 'renewLease' | 'connect'>;
  readonly leases: Endings;
  readonly grants: GrantStore;
  readonly revocations: Revocations;
  /** Of a public client: aborts when no token can be had any more, which is the end of the login. */
  readonly over: AbortSignal | undefined;
}

export interface ManagerAccesses {
  /** Undefined for a public client, which publishes none. */
  readonly manifests: Manifests | undefined;
  /** For a login that has these tokens. */
  open(tokens: LoginTokens, login: Pick<SessionTokenOptions, 'refresh'>): ManagerAccess;
  /** Where there is one for all logins, it stays. */
  release(access: ManagerAccess): void;
  /** Ends at the Manager what is left to be ended, for so many milliseconds at most. */
  close(withinMs: number): Promise<void>;
}

export interface ManagerAccessOptions {
  readonly client: Omit<ManagerClientOptions, 'accessToken'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
}

export function createManagerAccesses(options: ManagerAccessOptions): ManagerAccesses {
  return options.client.clientSecret === undefined ? accessEach(options) : accessShared(options);
}

function accessOf(manager: ManagerClient, over: AbortSignal | undefined, options: ManagerAccessOptions): ManagerAccess {
  const { sessions, services, changes } = manager;
  const shared = { ...options, sessions, changes };
  return {
    sessions,
    services,
    over,
    grants: createGrantStore(shared),
    revocations: createRevocations(shared),
    leases: createLeaseEndings({ ...options, services }),
  };
}

/** A confidential client asks with its own token, about all of its logins together. */
function accessShared(options: ManagerAccessOptions): ManagerAccesses {
  const manager = createManagerClient(options.client);
  const access = accessOf(manager, undefined, options);
  const manifests = createManifests({ ...options, api: manager.manifests });
  return {
    manifests,
    open: () => access,
    release() {},
    async close(withinMs) {
      manifests.close();
      access.grants.close();
      await Promise.all([access.leases.close(withinMs), access.revocations.close(withinMs)]);
    },
  };
}

/** A public client has no token but those that each login gives, and each counts for its own session only. */
function accessEach(options: ManagerAccessOptions): ManagerAccesses {
  const open = new Set<ManagerAccess>();
  // What is wrong with the options is told at start-up.
  createManagerClient({ ...options.client, accessToken: { get: () => Promise.reject(noLogin()), invalidate() {} } });

  return {
    manifests: undefined,
    open(tokens, { refresh }) {
      const over = new AbortController();
      const { clock, log } = options;
      const accessToken = createSessionToken({ first: tokens, refresh, clock, log, onOver: () => over.abort() });
      const manager = createManagerClient({ ...options.client, accessToken });
      const access = accessOf(manager, over.signal, options);
      open.add(access);
      return access;
    },
    release(access) {
      if (!open.delete(access)) return;
      access.grants.close();
      void access.leases.close(0);
      void access.revocations.close(0);
    },
    async close(withinMs) {
      await Promise.all(
        [...open].map(async (access) => {
          access.grants.close();
          await Promise.all([access.leases.close(withinMs), access.revocations.close(withinMs)]);
        }),
      );
    },
  };
}

function noLogin(): AuthSecError {
  return new AuthSecError('not_signed_in', 'nobody is signed in');
}
