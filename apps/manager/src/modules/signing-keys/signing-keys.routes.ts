import { signingKeyRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { SigningKeysService } from './signing-keys.service.js';

export function createSigningKeyRoutes(signingKeys: SigningKeysService): BoundRoute[] {
  return [
    bindRoute(signingKeyRoutes.list, async ({ caller }) => ({ keys: await signingKeys.list(caller) })),
    bindRoute(signingKeyRoutes.rotate, async ({ caller, body, requestId }) => ({
      keys: await signingKeys.rotate(caller, body.overlap_seconds, requestId),
    })),
    bindRoute(signingKeyRoutes.revoke, async ({ caller, body, requestId }) => {
      const { keys, revokedAt, endedSessions } = await signingKeys.revoke(
        caller,
        { endSessions: body.end_sessions },
        requestId,
      );
      return { keys, revoked_at: revokedAt.toISOString(), ended_sessions: endedSessions };
    }),
  ];
}
