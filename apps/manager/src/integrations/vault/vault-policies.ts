import type { VaultMounts } from './vault-paths.js';
import { assertTenantId } from './vault-paths.js';

export interface TransitKey {
  readonly mount: string;
  readonly key: string;
}

export interface PolicyNames {
  /** Of the Manager's policy, and of its role. */
  readonly manager: string;
  /** The one policy that each tenant's role may have where the Manager makes the roles; it means the tenant of the token. */
  readonly tenant: string;
}

/** They follow from the mount, so that one Vault can serve several AuthSecs. */
export function policyNames({ secrets }: VaultMounts): PolicyNames {
  const prefix = secrets.replaceAll('/', '-');
  return { manager: `${prefix}-manager`, tenant: `${prefix}-tenant` };
}

/** Of a policy that is one tenant's own. */
export function tenantPolicyName(tenantId: string, mounts: VaultMounts): string {
  assertTenantId(tenantId);
  return `${policyNames(mounts).tenant}-${tenantId}`;
}

/**
 * Periodic, so that what was leased lives as long as someone needs it; a secret id opens once, within a minute. All text:
 * a policy that names the allowed values compares nothing else.
 */
export function tenantRole(policy: string): Readonly<Record<string, string>> {
  return {
    token_policies: policy,
    token_no_default_policy: 'true',
    token_period: '20m',
    secret_id_ttl: '60s',
    secret_id_num_uses: '1',
  };
}

/** What a tenant's own token may do: with its own secrets, its own database connections and its own leases. */
export function tenantPolicy(tenantId: string, mounts: VaultMounts): string {
  assertTenantId(tenantId);
  return policyOf(tenantId, mounts);
}

/** The same for all tenants at once: the tenant is the name of the AppRole that the token came from. */
export function templatedTenantPolicy(tenantsMountAccessor: string, mounts: VaultMounts): string {
  return policyOf(`{{identity.entity.aliases.${tenantsMountAccessor}.metadata.role_name}}`, mounts);
}

function policyOf(tenant: string, { secrets, databases }: VaultMounts): string {
  const leases = `${databases}/creds/${tenant}.*`;
  // In the body, a lease id would go before the one in the path, and be anyone's.
  const byPath = 'denied_parameters = { "lease_id" = [] }';
  return [
    rule(`${secrets}/data/${tenant}/*`, ['create', 'read', 'update']),
    rule(`${secrets}/metadata/${tenant}/*`, ['read', 'delete']),
    rule(`${secrets}/destroy/${tenant}/*`, ['update']),
    rule(
      `${databases}/config/${tenant}.*`,
      ['create', 'update', 'delete'],
      'allowed_parameters = { "plugin_name" = ["postgresql-database-plugin"], "*" = [] }',
    ),
    rule(`${databases}/roles/${tenant}.*`, ['create', 'update', 'delete']),
    rule(leases, ['read']),
    rule(`sys/leases/renew/${leases}`, ['update'], byPath),
    rule(`sys/leases/revoke/${leases}`, ['update'], byPath),
    rule(`sys/leases/revoke-prefix/${leases}`, ['update', 'sudo']),
    rule(`sys/leases/revoke-force/${leases}`, ['update', 'sudo']),
    ...ownToken,
  ].join('\n');
}

/**
 * What the Manager's own token may do: come in as a tenant, and open its sealing keys. It reads no secret itself.
 * `makesTenants`: it makes the role of a new tenant, bound to the one templated policy; it writes no policy, since who
 * writes policies can do everything.
 */
export function managerPolicy(
  mounts: VaultMounts,
  transit: TransitKey,
  { makesTenants = true }: { readonly makesTenants?: boolean } = {},
): string {
  const roles = `auth/${mounts.tenants}/role/+`;
  const wrapped = 'min_wrapping_ttl = "1s"\n  max_wrapping_ttl = "2m"';
  const allowed = Object.entries(tenantRole(policyNames(mounts).tenant))
    .map(([name, value]) => `    ${JSON.stringify(name)} = [${JSON.stringify(value)}]`)
    .join('\n');
  return [
    rule(`${roles}/role-id`, ['read']),
    rule(`${roles}/secret-id`, ['update'], wrapped),
    ...(makesTenants ? [rule(roles, ['create', 'update'], `allowed_parameters = {\n${allowed}\n  }`)] : []),
    rule(`${transit.mount}/decrypt/${transit.key}`, ['update']),
    ...ownToken,
  ].join('\n');
}

const ownToken = [
  rule('auth/token/lookup-self', ['read']),
  rule('auth/token/renew-self', ['update']),
  rule('auth/token/revoke-self', ['update']),
];

function rule(path: string, capabilities: readonly string[], more?: string): string {
  const lines = [`capabilities = ${JSON.stringify(capabilities)}`, ...(more === undefined ? [] : [more])];
  return `path ${JSON.stringify(path)} {\n  ${lines.join('\n  ')}\n}\n`;
}
