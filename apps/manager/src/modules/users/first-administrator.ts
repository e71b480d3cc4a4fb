import type { TenantDatabase } from '../../db/tenant-clients.js';
import type { Secret } from '../../config/secret.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { hashPassword } from '../sign-in/passwords.js';
import { putAssignment } from './assignments.repository.js';
import { normalizeEmail } from './user.js';
import { insertUser } from './users.repository.js';

/** The addresses of active people who hold the role now, directly or by a group. */
export async function listAdministrators(db: TenantDatabase, role: string): Promise<string[]> {
  const current = { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] };
  const held = { some: { role: { name: role }, ...current } };
  const byGroup = { some: { group: { roles: { some: { role: { name: role }, ...current } } }, ...current } };
  const users = await db.user.findMany({
    where: { status: 'active', OR: [{ roles: held }, { groups: byGroup }] },
    orderBy: { email: 'asc' },
    select: { email: true },
  });
  return users.map(({ email }) => email);
}

/** A person with a password and the role. False where somebody has the address already. */
export async function createAdministrator(
  db: TenantDatabase,
  person: { readonly email: string; readonly password: Secret; readonly role: string },
): Promise<boolean> {
  const passwordHash = await hashPassword(person.password.reveal());
  const email = normalizeEmail(person.email);
  return db.$transaction(async (transaction) => {
    const user = await insertUser(transaction, { email, displayName: null, passwordHash });
    if (!user) return false;
    const assigned = await putAssignment(transaction, { userId: user.id, kind: 'roles', name: person.role }, null);
    if (!assigned) throw new Error(`there is no role ${person.role}`);
    await recordAuditEvent(transaction, {
      action: 'user.bootstrap',
      actor: { kind: 'system', id: null },
      target: { kind: 'user', id: user.id },
      outcome: 'done',
      requestId: undefined,
      details: { email, role: person.role },
    });
    return true;
  });
}
