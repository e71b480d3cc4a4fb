import type { TenantDatabase } from '../../db/tenant-clients.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import {
  findLinkedPerson,
  giveRights,
  insertIdentity,
  insertPerson,
  type LinkedPerson,
  type RightKind,
} from './external-identities.repository.js';
import { domainOf, type IdentityProvider } from './identity-provider.js';
import type { ProviderIdentity } from './provider-identity.js';

/** For the operator's log; a page never tells which. */
export type AdmissionRefusal =
  'not_linked' | 'email_not_verified' | 'email_domain' | 'email_taken' | 'person_disabled' | 'linked_to_another';

export type Admission = { readonly userId: string; readonly created: boolean } | { readonly refused: AdmissionRefusal };

/**
 * The person that this identity is linked to, or a new one where the provider's settings make one. An address links
 * nobody: one that is somebody's already is refused.
 */
export async function admitPerson(
  db: TenantDatabase,
  provider: IdentityProvider,
  identity: ProviderIdentity,
  requestId: string,
): Promise<Admission> {
  if (!isAllowedDomain(provider, identity)) return { refused: 'email_domain' };
  const linked = await findLinkedPerson(db, identity);
  if (linked) return toAdmission(linked);
  if (provider.settings.new_people === 'refuse') return { refused: 'not_linked' };
  const { email, displayName } = identity;
  if (email === undefined) return { refused: 'email_not_verified' };
  try {
    return await db.$transaction(async (transaction): Promise<Admission> => {
      const userId = await insertPerson(transaction, { email, displayName });
      if (userId === undefined) throw new Taken('email_taken');
      const { issuer, subject } = identity;
      if (!(await insertIdentity(transaction, { userId, issuer, subject }))) throw new Taken('not_linked');
      const rights = rightsFor(provider, identity);
      for (const [kind, names] of rights) await giveRights(transaction, userId, kind, names);
      await recordAuditEvent(transaction, {
        action: 'user.create',
        actor: { kind: 'system', id: null },
        target: { kind: 'user', id: userId },
        outcome: 'done',
        requestId,
        details: {
          email,
          identity_provider: provider.id,
          issuer,
          subject,
          ...Object.fromEntries(rights),
        },
      });
      return { userId, created: true };
    });
  } catch (error) {
    if (!(error instanceof Taken)) throw error;
    // Two tabs may come for the first time at once: the other one has made the person.
    const winner = await findLinkedPerson(db, identity);
    return winner ? toAdmission(winner) : { refused: error.refusal };
  }
}

/** Rolls back what was written for a person who cannot be made. */
class Taken extends Error {
  override readonly name = 'Taken';

  constructor(readonly refusal: AdmissionRefusal) {
    super(refusal);
  }
}

function toAdmission({ userId, status }: LinkedPerson): Admission {
  return status === 'active' ? { userId, created: false } : { refused: 'person_disabled' };
}

export function isAllowedDomain(
  { settings }: Pick<IdentityProvider, 'settings'>,
  { email }: Pick<ProviderIdentity, 'email'>,
): boolean {
  const allowed = settings.allowed_email_domains;
  if (allowed.length === 0) return true;
  const domain = email === undefined ? undefined : domainOf(email);
  return domain !== undefined && allowed.includes(domain);
}

/** Names by kind, of the rules whose claim has the value. */
export function rightsFor(
  { settings }: Pick<IdentityProvider, 'settings'>,
  { claims }: Pick<ProviderIdentity, 'claims'>,
): ReadonlyMap<RightKind, readonly string[]> {
  const rights = new Map<RightKind, string[]>();
  if (settings.new_people !== 'create_with_rights') return rights;
  for (const { claim, value, gives } of settings.rights) {
    const said = claims.get(claim);
    if (said !== value && !(Array.isArray(said) && said.includes(value))) continue;
    rights.set(gives.kind, [...(rights.get(gives.kind) ?? []), gives.name]);
  }
  return rights;
}
