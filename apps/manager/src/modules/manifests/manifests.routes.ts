import { manifestRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { ManifestsService } from './manifests.service.js';

export function createManifestRoutes(manifests: ManifestsService): BoundRoute[] {
  return [
    bindRoute(manifestRoutes.publish, async ({ caller, params, query, body, requestId, created: markCreated }) => {
      const makeCurrent = query.make_current === 'true';
      const publication = { caller, digest: params.digest, body, makeCurrent, requestId };
      const { created, manifest } = await manifests.publish(publication);
      if (created) markCreated();
      return manifest;
    }),
    bindRoute(manifestRoutes.list, async ({ caller, query }) => {
      const { client_id: clientId, digest, limit } = query;
      return { manifests: await manifests.list(caller, { clientId, digest, limit }) };
    }),
    bindRoute(manifestRoutes.get, ({ caller, params, query }) =>
      manifests.get(caller, { digest: params.digest, clientId: query.client_id }),
    ),
    bindRoute(manifestRoutes.changes, ({ caller, params, query }) =>
      manifests.changes(caller, { digest: params.digest, clientId: query.client_id }, query.since),
    ),
    bindRoute(manifestRoutes.sessionTools, ({ caller, params }) => manifests.ofSession(caller, params.sid)),
  ];
}
