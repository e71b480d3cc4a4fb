import { compileRequirement, createPrincipal, decide, explain } from '@authsec/rbac-core';

const requirement = compileRequirement({ scopes: ['read'], resources: ['analytics'], requireAll: true });

const principal = createPrincipal({
  roles: ['developer'],
  groups: ['engineering'],
  scopes: ['read'],
  resources: [],
  permissions: ['projects:*'],
});

export const decision = decide(principal, requirement);
// { allowed: false, code: 'resource_missing', reasons: [{ code: 'resource_missing', kind: 'resource', names: ['analytics'] }] }

export const sentence = explain(decision, { subject: 'ann@acme.test', target: 'view_analytics' });
// '"view_analytics" is denied to "ann@acme.test" (resource_missing). Missing: the resource "analytics".'
