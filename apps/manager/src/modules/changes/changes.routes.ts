import { changeRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { ChangesService } from './changes.service.js';

export function createChangeRoutes(changes: ChangesService): BoundRoute[] {
  return [
    bindRoute(changeRoutes.poll, ({ caller, query, receivedAt, signal }) =>
      changes.poll({ caller, after: query.after, waitSeconds: query.wait, receivedAt, signal }),
    ),
  ];
}
