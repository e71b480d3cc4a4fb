import type { AssignmentKind, AssignmentView } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import { holdsPermission } from '../../authorization/holds-permission.js';
import { AppError } from '../../errors/app-error.js';
import type { EventBus } from '../../ports/event-bus.js';
import { actorOf, type AuditEvent } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import {
  type AssignmentKey,
  authsecPermissionsOf,
  deleteAssignment,
  listAssignments,
  putAssignment,
} from './assignments.repository.js';
import { findUser, type Transaction } from './users.repository.js';

export interface AssignmentsService {
  list(caller: Caller, userId: string, kind: AssignmentKind): Promise<AssignmentView[]>;
  /**
   * Gives it, or sets when it ends. AppError 'insufficient_permission' where it carries rights on AuthSec itself that
   * the caller does not hold: nobody hands out more than they have.
   */
  assign(caller: Caller, key: AssignmentKey, expiresAt: Date | null, requestId: string): Promise<void>;
  unassign(caller: Caller, key: AssignmentKey, requestId: string): Promise<void>;
  /** AppError 'insufficient_permission' where giving this would be more than the caller has, for rules that give it later. */
  assertMayGive(caller: Caller, right: Omit<AssignmentKey, 'userId'>): Promise<void>;
}

export function createAssignmentsService({ events }: { readonly events: EventBus }): AssignmentsService {
  return {
    async list(caller, userId, kind) {
      await assertUser(caller.db, userId);
      const rows = await listAssignments(caller.db, userId, kind);
      return rows.map(({ name, expiresAt }) => ({ name, expires_at: expiresAt?.toISOString() ?? null }));
    },

    async assign(caller, key, expiresAt, requestId) {
      const event = toEvent('assignment.put', caller, key, requestId, expiresAt);
      try {
        await caller.db.$transaction(async (transaction) => {
          await assertUser(transaction, key.userId);
          if (!(await putAssignment(transaction, key, expiresAt))) throw noSuchName(key);
          await assertHeldByCaller(transaction, caller, key, expiresAt);
          await recordAuditEvent(transaction, event);
        });
      } catch (error) {
        if (error instanceof AppError && error.code === 'insufficient_permission') {
          await recordAuditEvent(caller.db, { ...event, outcome: 'refused' });
        }
        throw error;
      }
      await events.publish(caller.tenantId);
    },

    async unassign(caller, key, requestId) {
      await caller.db.$transaction(async (transaction) => {
        await assertUser(transaction, key.userId);
        if (!(await deleteAssignment(transaction, key))) throw noSuchName(key);
        await recordAuditEvent(transaction, toEvent('assignment.delete', caller, key, requestId, null));
      });
      await events.publish(caller.tenantId);
    },

    assertMayGive: (caller, right) => assertHeldByCaller(caller.db, caller, right, null),
  };
}

/** Looked up after the row was written: the lock that this took keeps what the role carries as it is. */
async function assertHeldByCaller(
  transaction: Transaction,
  caller: Caller,
  key: Omit<AssignmentKey, 'userId'>,
  expiresAt: Date | null,
): Promise<void> {
  const carried = await authsecPermissionsOf(transaction, key);
  if (carried.length === 0) return;
  // Until the last moment for which it is given: what someone has for a day they do not hand out for longer.
  const principal = await caller.principal(expiresAt ? expiresAt.getTime() - 1 : Number.MAX_SAFE_INTEGER);
  const missing = carried.filter((permission) => !holdsPermission(principal, permission));
  if (missing.length === 0) return;
  throw new AppError('insufficient_permission', `the caller does not hold ${missing.join(', ')} itself`);
}

async function assertUser(db: Transaction, userId: string): Promise<void> {
  if (!(await findUser(db, userId))) throw new AppError('not_found', 'no such person');
}

function noSuchName({ kind }: AssignmentKey): AppError {
  return new AppError('not_found', `no such name among the ${kind} of the tenant`);
}

function toEvent(
  action: string,
  caller: Caller,
  { userId, kind, name }: AssignmentKey,
  requestId: string,
  expiresAt: Date | null,
): AuditEvent {
  return {
    action,
    actor: actorOf(caller),
    target: { kind: 'user', id: userId },
    outcome: 'done',
    requestId,
    details: { kind, name, expires_at: expiresAt?.toISOString() ?? null },
  };
}
