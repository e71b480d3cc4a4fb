import { sessionRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { BindSession } from './bind-session.js';
import type { SessionsService } from './sessions.service.js';

export interface SessionRoutesOptions {
  readonly sessions: SessionsService;
  readonly bindSession: BindSession;
}

export function createSessionRoutes({ sessions, bindSession }: SessionRoutesOptions): BoundRoute[] {
  return [
    bindRoute(sessionRoutes.bind, ({ caller, body, idempotencyKey }) =>
      bindSession({
        caller,
        accessToken: body.access_token,
        mcpSession: body.mcp_session,
        idempotencyKey,
        manifestDigest: body.manifest_digest,
      }),
    ),
    bindRoute(sessionRoutes.renew, async ({ caller, body }) => ({
      sessions: await sessions.renew(caller, body.sids, body.manifests),
    })),
    bindRoute(sessionRoutes.list, ({ caller, query }) => sessions.list(caller, query)),
    bindRoute(sessionRoutes.get, ({ caller, params }) => sessions.get(caller, params.sid)),
    bindRoute(sessionRoutes.revoke, ({ caller, params, query, requestId }) =>
      sessions.revoke(caller, params.sid, query.reason, requestId),
    ),
  ];
}
