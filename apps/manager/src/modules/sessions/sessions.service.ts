import type { Session } from '@authsec/prisma/tenant';
import type { TenantDatabase } from '../../db/tenant-clients.js';

export type SessionEndReason = 'logged_out' | 'revoked' | 'user_disabled';

export interface NewSession {
  readonly tenantId: string;
  readonly db: TenantDatabase;
  /** The grant id. */
  readonly sid: string;
  readonly userId: string;
  readonly applicationId: string;
  readonly mcpSession: string | null;
  /** The scopes approved at login. */
  readonly scopes: readonly string[];
  readonly clientName: string | null;
  readonly expiresAt: Date;
}

export interface SessionsService {
  createSession(session: NewSession): Promise<void>;
  /** Idempotent; resolves to whether it ended now. Removes the provider's rows of the grant, wakes the polls. */
  endSession(end: {
    readonly tenantId: string;
    readonly db: TenantDatabase;
    readonly sid: string;
    readonly reason: SessionEndReason;
  }): Promise<boolean>;
  findSession(db: TenantDatabase, sid: string): Promise<Session | null>;
}
