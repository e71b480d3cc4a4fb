import { serviceRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { ConnectLinks } from './connect-links.js';
import type { ConnectionsService } from './connections.service.js';
import type { IssueCredential } from './issue-credential.js';
import type { LeasesService } from './leases.service.js';
import type { RenewLease } from './renew-lease.js';
import type { TestService } from './test-service.js';

export interface ServiceCredentialParts {
  readonly issueCredential: IssueCredential;
  readonly renewLease: RenewLease;
  readonly leases: Pick<LeasesService, 'end'>;
  readonly connectLinks: ConnectLinks;
  readonly connections: ConnectionsService;
  readonly testService: TestService;
}

/** What tools get by their services, and what people connected of their own. */
export function createServiceCredentialRoutes(parts: ServiceCredentialParts): BoundRoute[] {
  const { issueCredential, renewLease, leases, connectLinks, connections, testService } = parts;
  return [
    bindRoute(serviceRoutes.issueCredential, ({ caller, body, requestId, receivedAt }) => {
      const { sid, service: serviceName, raw, previous, tool } = body;
      return issueCredential({ caller, sid, serviceName, raw, previous, tool, requestId, receivedAt });
    }),
    bindRoute(serviceRoutes.renewLease, ({ caller, params, body, requestId, receivedAt }) =>
      renewLease({ caller, leaseId: params.lease_id, tool: body.tool, requestId, receivedAt }),
    ),
    bindRoute(serviceRoutes.endLease, ({ caller, params }) => leases.end(caller, params.lease_id)),
    bindRoute(serviceRoutes.connect, ({ caller, body, requestId }) =>
      connectLinks.create({ caller, sid: body.sid, serviceName: body.service, tool: undefined, requestId }),
    ),
    bindRoute(serviceRoutes.listConnections, async ({ caller, params }) => ({
      connections: await connections.list(caller, params.service_id),
    })),
    bindRoute(serviceRoutes.disconnect, ({ caller, params, requestId }) =>
      connections.disconnect(caller, { serviceId: params.service_id, userId: params.sub }, requestId),
    ),
    bindRoute(serviceRoutes.test, ({ caller, params, requestId }) => testService(caller, params.service_id, requestId)),
  ];
}
