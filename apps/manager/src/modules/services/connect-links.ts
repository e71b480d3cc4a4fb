import { randomBytes } from 'node:crypto';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import type { AuthorizeUse, UseRequest } from './authorize-use.js';
import { connectSeconds } from './connect-attempt.js';
import { insertConnectAttempt, trimConnectAttempts } from './connect-attempts.repository.js';

export interface ConnectLinks {
  /** AppError 'conflict' where people have no accounts of their own at the service. */
  create(request: UseRequest): Promise<{ connect_url: string; expires_in: number }>;
}

const linksPerPerson = 20;

/** The link by which the person of a session connects their account: 256 random bits, of which only the hash is kept. */
export function createConnectLinks(options: {
  readonly authorizeUse: AuthorizeUse;
  readonly clock: Clock;
}): ConnectLinks {
  const { authorizeUse, clock } = options;
  return {
    async create(request) {
      const { service, session } = await authorizeUse(request);
      const { db, issuer } = request.caller;
      if (service.kind !== 'oauth2_authorization_code') {
        throw new AppError('conflict', `service ${service.name} is not one where people connect accounts`);
      }
      const link = randomBytes(32).toString('base64url');
      const { userId, sid, applicationId } = session;
      const expiresAt = new Date(clock.now() + connectSeconds * 1_000);
      const linkHash = hashIdentifier(link);
      await insertConnectAttempt(db, { linkHash, serviceId: service.id, userId, sid, applicationId, expiresAt });
      await trimConnectAttempts(db, userId, linksPerPerson);
      return { connect_url: `${issuer}/connect/${link}`, expires_in: connectSeconds };
    },
  };
}
