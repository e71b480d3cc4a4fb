import { createPrincipal } from '@authsec/rbac-core';
import { expect, test } from '@jest/globals';
import type { Identity } from '../../src/authorization/authenticate.js';
import { createGate } from '../../src/authorization/create-gate.js';

const nothing = { roles: [], groups: [], scopes: [], resources: [] };

/** The gate for one who holds these permissions. */
function gateOf(
  permissions: string[],
  { kind = 'person', system = false }: { kind?: Identity['kind']; system?: boolean } = {},
) {
  const principal = async () => createPrincipal({ ...nothing, permissions });
  const identity = { kind, tenantId: 'acme', principal } as unknown as Identity;
  return createGate({ authenticate: async () => identity, isSystemTenant: async () => system });
}
const reachOf = async (gate: ReturnType<typeof gateOf>, access: Parameters<typeof gate>[1]['access']) =>
  gate('Bearer x', { access }).then(
    (caller) => caller.reach,
    (error: { code: string }) => error.code,
  );

test('an owner route is for applications only, and reaches what is their own', async () => {
  expect(await reachOf(gateOf([], { kind: 'application' }), { owner: true })).toBe('own');
  expect(await reachOf(gateOf(['authsec:*:*']), { owner: true })).toBe('insufficient_permission');
});

test("who holds the permission reaches what is the tenant's, an application without it only its own", async () => {
  const access = { owner: true, permission: 'authsec:sessions:read' } as const;
  expect(await reachOf(gateOf(['authsec:sessions:*']), access)).toBe('tenant');
  expect(await reachOf(gateOf(['authsec:sessions:*'], { kind: 'application' }), access)).toBe('tenant');
  expect(await reachOf(gateOf([], { kind: 'application' }), access)).toBe('own');
  expect(await reachOf(gateOf(['authsec:users:read']), access)).toBe('insufficient_permission');
});

test.each(['*:*', '*:read', '*:*:*', 'authsec', 'AuthSec:users:read', 'authsec:users'])(
  '%s gives no right on AuthSec itself',
  async (permission) => {
    expect(await reachOf(gateOf([permission]), { permission: 'authsec:users:read' })).toBe('insufficient_permission');
  },
);

test('authsec:tenants:* counts only in the system tenant, also on a route that forgot to say so', async () => {
  const forgot = { permission: 'authsec:tenants:read' } as const;
  const said = { ...forgot, system: true } as const;
  for (const access of [forgot, said]) {
    expect(await reachOf(gateOf(['authsec:tenants:*']), access)).toBe('insufficient_permission');
    expect(await reachOf(gateOf(['authsec:tenants:*'], { system: true }), access)).toBe('tenant');
    expect(await reachOf(gateOf([], { system: true }), access)).toBe('insufficient_permission');
  }
});
