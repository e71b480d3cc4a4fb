import { randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import type { Caller } from '../../authorization/caller.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Sealer } from '../../ports/sealer.js';
import type { AuthorizeUse } from './authorize-use.js';
import { findEmailOf, findOpenLink, takeLink } from './connect-attempts.repository.js';
import {
  attemptBinding,
  callbackUrlOf,
  type ConnectContext,
  connectSeconds,
  digestOf,
  type OpenLink,
  returnCookieName,
  returnHash,
} from './connect-attempt.js';
import { createReturnFromService, type ReturnFromService, type ReturnOptions } from './return-from-service.js';
import type { AuthorizationCodeSettings } from './token-client.js';

export interface DepartureToService {
  readonly url: string;
  readonly callbackUrl: string;
  /** For the attempt's own cookie: without it nobody comes back. */
  readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeMs: number };
}

export interface ConnectAccount {
  /** Changes nothing. */
  find(context: ConnectContext, link: string): Promise<OpenLink | undefined>;
  emailOf(context: ConnectContext, userId: string): Promise<string | undefined>;
  /**
   * Uses the link up, for the person that it was made for: 'other_person' for anybody else, 'denied' where they may not
   * use the service now, 'gone' where there is nothing to go on from.
   */
  leave(
    context: ConnectContext,
    link: string,
    personNow: string | undefined,
  ): Promise<DepartureToService | 'gone' | 'denied' | 'other_person'>;
  readonly comeBack: ReturnFromService;
}

export interface ConnectAccountOptions extends ReturnOptions {
  readonly authorizeUse: AuthorizeUse;
  readonly clock: Clock;
  readonly sealer: Sealer;
}

export function createConnectAccount(options: ConnectAccountOptions): ConnectAccount {
  const { authorizeUse, clock, sealer } = options;
  const find = (context: ConnectContext, link: string) =>
    findOpenLink(context.db, hashIdentifier(link), new Date(clock.now()));

  return {
    find,
    emailOf: ({ db }, userId) => findEmailOf(db, userId),

    async leave(context, link, personNow) {
      const open = await find(context, link);
      if (!open) return 'gone';
      if (open.userId !== personNow) return 'other_person';
      let use;
      try {
        const caller = applicationOf(context, open);
        const { sid, service } = open;
        const { requestId } = context;
        use = await authorizeUse({ caller, sid, serviceName: service.name, tool: undefined, requestId });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'service_denied') return 'denied';
        if (error.code === 'not_found' || error.code === 'session_ended') return 'gone';
        throw error;
      }
      const { settings, id: serviceId } = use.service;
      if (settings.kind !== 'oauth2_authorization_code') return 'gone';
      const { tenantId, db, issuer } = context;
      const [state, value] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
      const verifier = openid.randomPKCECodeVerifier();
      const kept = JSON.stringify({ verifier, settings: digestOf(use.service) });
      const at = clock.now();
      const taken = await takeLink(
        db,
        open.id,
        {
          stateHash: returnHash(state, value),
          sealedVerifier: sealer.seal(kept, attemptBinding(tenantId, open.id)),
          expiresAt: new Date(at + connectSeconds * 1_000),
        },
        new Date(at),
      );
      if (!taken) return 'gone';
      const callbackUrl = callbackUrlOf(issuer, serviceId);
      const challenge = await openid.calculatePKCECodeChallenge(verifier);
      return {
        url: authorizationUrl(settings, { state, challenge, callbackUrl }),
        callbackUrl,
        cookie: { name: returnCookieName(state), value, maxAgeMs: connectSeconds * 1_000 },
      };
    },

    comeBack: createReturnFromService(options),
  };
}

/** What the endpoint's own query says stays (RFC 6749 section 3.1). */
function authorizationUrl(
  settings: AuthorizationCodeSettings,
  {
    state,
    challenge,
    callbackUrl,
  }: { readonly state: string; readonly challenge: string; readonly callbackUrl: string },
): string {
  const url = new URL(settings.authorization_endpoint);
  const parameters = {
    response_type: 'code',
    client_id: settings.client_id,
    redirect_uri: callbackUrl,
    ...(settings.scope && { scope: settings.scope }),
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** The application that the link was made for, as if it asked itself. */
function applicationOf(
  { tenantId, issuer, db }: Pick<ConnectContext, 'tenantId' | 'issuer' | 'db'>,
  { application: { id, clientId, resourceUrl } }: Pick<OpenLink, 'application'>,
): Caller {
  return {
    tenantId,
    issuer,
    db,
    kind: 'application',
    application: { id, clientId, resourceUrl },
    userId: undefined,
    principal: () => Promise.reject(new Error('it asks for a person')),
    reach: 'own',
  };
}
