import type { TenantDatabase } from '../../db/tenant-clients.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { findLinkedPerson, insertIdentity, listIssuersOf } from './external-identities.repository.js';
import { listIdentityProviders } from './identity-providers.repository.js';
import type { SignInContext } from './provider-steps.js';
import type { ProviderIdentityKey } from './sealed-attempt.js';

/** Further ways in for somebody who is signed in. */
export interface LinkService {
  linkedTo(
    db: TenantDatabase,
    identity: { readonly issuer: string; readonly subject: string },
  ): Promise<string | undefined>;
  /** The providers that the person has not added yet. */
  offered(db: TenantDatabase, userId: string): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** False where the identity is somebody else's. */
  link(context: SignInContext, userId: string, identity: ProviderIdentityKey): Promise<boolean>;
}

export function createLinkService(): LinkService {
  return {
    linkedTo: async (db, identity) => (await findLinkedPerson(db, identity))?.userId,

    async offered(db, userId) {
      const [providers, issuers] = await Promise.all([
        listIdentityProviders(db, { enabledOnly: true }),
        listIssuersOf(db, userId),
      ]);
      return providers.filter(({ issuer }) => !issuers.includes(issuer)).map(({ id, name }) => ({ id, name }));
    },

    link: ({ db, requestId }, userId, { providerId, issuer, subject }) =>
      db.$transaction(async (transaction) => {
        if (await insertIdentity(transaction, { userId, issuer, subject })) {
          await recordAuditEvent(transaction, {
            action: 'identity.link',
            actor: { kind: 'user', id: userId },
            target: { kind: 'user', id: userId },
            outcome: 'done',
            requestId,
            details: { identity_provider: providerId, issuer, subject },
          });
          return true;
        }
        return (await findLinkedPerson(transaction, { issuer, subject }))?.userId === userId;
      }),
  };
}
