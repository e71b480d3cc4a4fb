import { serviceRoutes } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import { normalUrl } from './service-address.js';
import type { ServicesService } from './services.service.js';

export function createServiceRoutes(services: ServicesService): BoundRoute[] {
  return [
    bindRoute(serviceRoutes.list, async ({ caller }) => ({ services: await services.list(caller) })),
    bindRoute(serviceRoutes.create, ({ caller, body, requestId }) => {
      const { name, secret, settings, base_url: baseUrl, requirement, applications } = body;
      const draft = {
        name,
        kind: settings.kind,
        settings,
        description: body.description,
        baseUrl: baseUrl === undefined ? null : toUrl(baseUrl),
        requirement,
        applications: [...new Set(applications)],
        ownerUserId: body.owner,
        rawCredential: body.raw_credential,
        publicClients: body.public_clients,
        allowPrivateAddresses: body.allow_private_addresses,
        healthPath: body.health_path,
        enabled: body.enabled,
      };
      return services.create({ caller, draft, secret, requestId });
    }),
    bindRoute(serviceRoutes.get, ({ caller, params }) => services.get(caller, params.service_id)),
    bindRoute(serviceRoutes.update, ({ caller, params, body, requestId }) => {
      const { secret, settings, base_url: baseUrl, requirement, applications, description, enabled } = body;
      const change = {
        ...(description !== undefined && { description }),
        ...(baseUrl !== undefined && { baseUrl: toUrl(baseUrl) }),
        ...(settings !== undefined && { settings }),
        ...(requirement !== undefined && { requirement }),
        ...(applications !== undefined && { applications: [...new Set(applications)] }),
        ...(body.owner !== undefined && { ownerUserId: body.owner }),
        ...(body.raw_credential !== undefined && { rawCredential: body.raw_credential }),
        ...(body.public_clients !== undefined && { publicClients: body.public_clients }),
        ...(body.allow_private_addresses !== undefined && { allowPrivateAddresses: body.allow_private_addresses }),
        ...(body.health_path !== undefined && { healthPath: body.health_path }),
        ...(enabled !== undefined && { enabled }),
      };
      return services.update({ caller, id: params.service_id, change, secret, requestId });
    }),
    bindRoute(serviceRoutes.delete, ({ caller, params, requestId }) =>
      services.remove(caller, params.service_id, requestId),
    ),
    bindRoute(serviceRoutes.rotate, ({ caller, params, body, requestId }) => {
      const { secret, overlap_seconds: overlapSeconds } = body;
      return services.rotate({ caller, id: params.service_id, secret, overlapSeconds, requestId });
    }),
  ];
}

/** What is no URL stays, and is refused by name. */
function toUrl(value: string): string {
  return normalUrl(value) ?? value;
}
