import { routes } from '@authsec/manager-client/contract';

/** The role that every tenant begins with: it holds all that can be asked of the Manager's API in that tenant. */
export const adminRole = { name: 'authsec-admin', description: 'Everything in the AuthSec API of this tenant' };

export const adminPermission = 'authsec:*:*';

/** Asked by services, where the route alone does not say who may: to decide for machines other than oneself. */
const askedByServices = ['authsec:decisions:write'];

/** Every permission that a route of the contract asks for; `authsec:tenants:*` only where it counts. */
export function builtInPermissions(isSystem: boolean): readonly string[] {
  const accesses = Object.values(routes).flatMap((noun) => Object.values(noun).map((route) => route.access));
  const names = accesses.filter((access) => isSystem || !access.system).map((access) => access.permission);
  return [...new Set(names.filter((name) => name !== undefined)), ...askedByServices, adminPermission];
}
