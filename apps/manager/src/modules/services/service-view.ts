import type { ServiceView } from '@authsec/manager-client/contract';
import type { Service } from './service.js';

/** A service as the API shows it: nothing that is secret is in a row of it. */
export function toServiceView(service: Service, now: number): ServiceView {
  const { lastCheckAt, lastCheckOutcome, previousSecretUntil: previousUntil } = service;
  const overlaps = previousUntil !== null && previousUntil.getTime() > now;
  return {
    id: service.id,
    name: service.name,
    description: service.description,
    kind: service.kind,
    base_url: service.baseUrl,
    settings: service.settings,
    requirement: service.requirement as ServiceView['requirement'],
    applications: [...service.applications],
    owner: service.ownerUserId,
    raw_credential: service.rawCredential,
    public_clients: service.publicClients,
    allow_private_addresses: service.allowPrivateAddresses,
    health_path: service.healthPath,
    enabled: service.enabled,
    secret_version: service.secretVersion,
    previous_secret_until: overlaps ? previousUntil.toISOString() : null,
    last_used_at: service.lastUsedAt?.toISOString() ?? null,
    last_check: lastCheckAt && { at: lastCheckAt.toISOString(), outcome: lastCheckOutcome ?? '' },
    created_at: service.createdAt.toISOString(),
    updated_at: service.updatedAt.toISOString(),
  };
}
