import { decisionRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { DecisionsService } from './decisions.service.js';

export function createDecisionRoutes(decisions: DecisionsService): BoundRoute[] {
  return [
    bindRoute(decisionRoutes.decide, ({ caller, body, idempotencyKey }) =>
      decisions.decide({
        caller,
        subject: body.sid === undefined ? { clientId: body.client_id ?? '' } : { sid: body.sid },
        requirement: body.requirement,
        tool: body.tool,
        idempotencyKey,
      }),
    ),
    bindRoute(decisionRoutes.get, ({ caller, params }) => decisions.get(caller, params.decision_id)),
  ];
}
