import type { UserView } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import { Secret } from '../../config/secret.js';
import { AppError } from '../../errors/app-error.js';
import type { EventBus } from '../../ports/event-bus.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import { hashPassword } from '../sign-in/passwords.js';
import { normalizeEmail, toUserView } from './user.js';
import { findUser, insertUser, listUsers, updateUser } from './users.repository.js';

export interface UserChange {
  readonly displayName?: string | null;
  readonly status?: 'active' | 'disabled';
}

export interface UsersService {
  list(
    caller: Caller,
    filter: { email?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<{ users: UserView[]; next: string | null }>;
  get(caller: Caller, userId: string): Promise<UserView>;
  /** AppError 'conflict' where the address is taken. */
  create(
    caller: Caller,
    user: { email: string; displayName: string | undefined; password: Secret | undefined },
    requestId: string,
  ): Promise<UserView>;
  /** Disabling someone ends all their sessions. */
  update(caller: Caller, userId: string, change: UserChange, requestId: string): Promise<UserView>;
}

export interface UsersOptions {
  readonly sessions: SessionsService;
  readonly events: EventBus;
}

export function createUsersService({ sessions, events }: UsersOptions): UsersService {
  return {
    async list(caller, { email, after, limit }) {
      const filter = { email: email === undefined ? undefined : normalizeEmail(email), after, limit };
      const users = await listUsers(caller.db, filter);
      return { users: users.map(toUserView), next: users.length === limit ? (users.at(-1)?.id ?? null) : null };
    },

    async get(caller, userId) {
      const user = await findUser(caller.db, userId);
      if (!user) throw noSuchUser();
      return toUserView(user);
    },

    async create(caller, { email, displayName, password }, requestId) {
      const passwordHash = password && (await hashPassword(password.reveal()));
      const user = { email: normalizeEmail(email), displayName: displayName ?? null, passwordHash };
      return caller.db.$transaction(async (transaction) => {
        const row = await insertUser(transaction, user);
        if (!row) throw new AppError('conflict', 'a person with this address is there already');
        await recordAuditEvent(transaction, {
          action: 'user.create',
          actor: actorOf(caller),
          target: { kind: 'user', id: row.id },
          outcome: 'done',
          requestId,
          details: { email: row.email, password: password ?? null },
        });
        return toUserView(row);
      });
    },

    async update(caller, userId, change, requestId) {
      const { tenantId, db } = caller;
      const updated = await db.$transaction(async (transaction) => {
        const row = await updateUser(transaction, userId, change);
        if (!row) throw noSuchUser();
        await recordAuditEvent(transaction, {
          action: 'user.update',
          actor: actorOf(caller),
          target: { kind: 'user', id: userId },
          outcome: 'done',
          requestId,
          details: { ...change },
        });
        return row;
      });
      if (change.status !== undefined) await events.publish(tenantId);
      if (change.status === 'disabled') {
        await sessions.endSessionsOfUser({ tenantId, db, userId, reason: 'user_disabled' });
      }
      return toUserView(updated);
    },
  };
}

function noSuchUser(): AppError {
  return new AppError('not_found', 'no such person');
}
