import type { SigningKeyView } from '@authsec/manager-client/contract';
import type { SigningKey } from '@authsec/prisma/tenant';

/** Of a row, what is no secret. */
export type ListedKey = Omit<SigningKey, 'sealedPrivateJwk' | 'publicJwk'>;

/** So many may retire at the same time: each is published, and each can still be forged with by who has it. */
export const maxRetiringKeys = 10;

export function toSigningKeyView(key: ListedKey): SigningKeyView {
  return {
    kid: key.kid,
    alg: key.alg,
    status: key.status,
    created_at: key.createdAt.toISOString(),
    retires_at: key.retiresAt?.toISOString() ?? null,
    retired_at: key.retiredAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}
