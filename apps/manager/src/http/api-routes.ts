import { mayConnectTo } from '@authsec/guarded-fetch';
import { issuerOf } from '../authorization/issuer.js';
import type { Container } from '../container.js';
import { createChangeRoutes } from '../modules/changes/changes.routes.js';
import { createDecisionRoutes } from '../modules/decisions/decisions.routes.js';
import { createDecisionsService } from '../modules/decisions/decisions.service.js';
import { createManifestRoutes } from '../modules/manifests/manifests.routes.js';
import { createManifestsService } from '../modules/manifests/manifests.service.js';
import { createIdentityProviderRoutes } from '../modules/identity-providers/identity-providers.routes.js';
import { createIdentityProvidersService } from '../modules/identity-providers/identity-providers.service.js';
import { createBindSession } from '../modules/sessions/bind-session.js';
import { createServiceCredentials, createServiceTokenClient } from '../modules/services/create-service-credentials.js';
import { createServiceRoutes } from '../modules/services/services.routes.js';
import { createServicesService } from '../modules/services/services.service.js';
import { createSessionRoutes } from '../modules/sessions/sessions.routes.js';
import { createSigningKeyRoutes } from '../modules/signing-keys/signing-keys.routes.js';
import { createSigningKeysService } from '../modules/signing-keys/signing-keys.service.js';
import { createTenantRoutes } from '../modules/tenants/tenants.routes.js';
import { createAssignmentsService } from '../modules/users/assignments.service.js';
import { createUserRoutes } from '../modules/users/users.routes.js';
import { createUsersService } from '../modules/users/users.service.js';
import type { BoundRoute } from './handle.js';

/** Every route of the contract with its handler. */
export function bindContract(container: Container): BoundRoute[] {
  const { clock, config, events, sessions, telemetry, tenantsService, verifyAccessToken } = container;
  const assignments = createAssignmentsService({ events });
  const decisions = createDecisionsService({ sessions, clock, telemetry });
  return [
    ...createChangeRoutes(container.changes),
    ...createDecisionRoutes(decisions),
    ...createManifestRoutes(createManifestsService(sessions)),
    ...createIdentityProviderRoutes(
      createIdentityProvidersService({
        sealer: container.sealer,
        allowHttp: config.dangerouslyAllowHttp,
        assertMayGive: (caller, right) => assignments.assertMayGive(caller, right),
      }),
    ),
    ...createServiceRoutes(
      createServicesService({
        secrets: container.secrets,
        client: createServiceTokenClient(container),
        logger: container.logger,
        clock,
        allowHttp: config.dangerouslyAllowHttp,
        allowPrivateAddresses: config.dangerouslyAllowPrivateAddresses,
        mayConnectTo,
      }),
    ),
    ...createServiceCredentials({ ...container, decisions }),
    ...createSessionRoutes({ sessions, bindSession: createBindSession({ verifyAccessToken, clock, telemetry }) }),
    ...createSigningKeyRoutes(
      createSigningKeysService({ generateSigningKey: container.generateSigningKey, sessions, events }),
    ),
    ...createTenantRoutes({ tenants: tenantsService, issuerOf: (tenantId) => issuerOf(config.url, tenantId) }),
    ...createUserRoutes({
      users: createUsersService({ sessions, events }),
      assignments,
    }),
  ];
}
