export * from './contract/canonical-json.js';
export * from './contract/changes.js';
export * from './contract/decisions.js';
export * from './contract/digest.js';
export * from './contract/manifests.js';
export * from './contract/identity-providers.js';
export * from './contract/names.js';
export * from './contract/problem.js';
export * from './contract/route.js';
export * from './contract/service-settings.js';
export * from './contract/services.js';
export * from './contract/sessions.js';
export * from './contract/signing-keys.js';
export * from './contract/tenants.js';
export * from './contract/users.js';

import { changeRoutes } from './contract/changes.js';
import { decisionRoutes } from './contract/decisions.js';
import { identityProviderRoutes } from './contract/identity-providers.js';
import { manifestRoutes } from './contract/manifests.js';
import { serviceRoutes } from './contract/services.js';
import { sessionRoutes } from './contract/sessions.js';
import { signingKeyRoutes } from './contract/signing-keys.js';
import { tenantRoutes } from './contract/tenants.js';
import { userRoutes } from './contract/users.js';

/** Every endpoint of the Manager's API. */
export const routes = {
  changes: changeRoutes,
  decisions: decisionRoutes,
  identityProviders: identityProviderRoutes,
  manifests: manifestRoutes,
  services: serviceRoutes,
  sessions: sessionRoutes,
  signingKeys: signingKeyRoutes,
  tenants: tenantRoutes,
  users: userRoutes,
};
