import type { UserView } from '@authsec/manager-client/contract';
import type { User } from '@authsec/prisma/tenant';

/** Addresses are one person's whatever their case. */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}

export function toUserView(user: User): UserView {
  return {
    id: user.id,
    email: user.email,
    email_verified: user.emailVerified,
    display_name: user.displayName,
    status: user.status,
    created_at: user.createdAt.toISOString(),
  };
}
