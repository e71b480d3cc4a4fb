import type { Assignment, Holdings } from '@authsec/rbac-core';
import type { TenantDatabase } from '../db/tenant-clients.js';

interface Row {
  readonly kind: string;
  /** The person or machine; null for what belongs to a group or role. */
  readonly owner: string | null;
  readonly name: string;
  /** The group or role that it comes by. */
  readonly via: string | null;
  /** Epoch milliseconds. */
  readonly until: number | null;
}

export interface PersonRow {
  readonly email: string;
  readonly emailVerified: boolean;
  readonly status: 'active' | 'disabled';
}

export interface LoadedHoldings {
  readonly policyVersion: bigint;
  /** By user id; without those who do not exist. */
  readonly people: ReadonlyMap<string, PersonRow>;
  of(ownerId: string): Holdings;
}

/** What people and machines hold, expired rows too, with the policy version that it belongs to: one statement, one snapshot. */
export async function loadHoldings(
  db: TenantDatabase,
  owners: { readonly userIds?: readonly string[]; readonly applicationIds?: readonly string[] },
): Promise<LoadedHoldings> {
  const users = [...(owners.userIds ?? [])];
  const applications = [...(owners.applicationIds ?? [])];
  const rows = await db.$queryRaw<Row[]>`
    WITH own_roles AS (
      SELECT user_id AS owner, role_id, expires_at FROM user_roles WHERE user_id = ANY(${users}::uuid[])
      UNION ALL
      SELECT application_id, role_id, expires_at FROM application_roles WHERE application_id = ANY(${applications}::uuid[])
    ), own_groups AS (
      SELECT user_id AS owner, group_id, expires_at FROM group_members WHERE user_id = ANY(${users}::uuid[])
    ), held_groups AS (
      SELECT id, name FROM groups WHERE id IN (SELECT group_id FROM own_groups)
    ), by_group AS (
      SELECT h.name AS via, gr.role_id, gr.expires_at FROM group_roles gr JOIN held_groups h ON h.id = gr.group_id
    ), held_roles AS (
      SELECT id, name FROM roles WHERE id IN (SELECT role_id FROM own_roles UNION SELECT role_id FROM by_group)
    ), rows AS (
      SELECT 'role' AS kind, o.owner, h.name, NULL AS via, o.expires_at
        FROM own_roles o JOIN held_roles h ON h.id = o.role_id
      UNION ALL
      SELECT 'group', o.owner, h.name, NULL, o.expires_at FROM own_groups o JOIN held_groups h ON h.id = o.group_id
      UNION ALL
      SELECT 'group_role', NULL, h.name, b.via, b.expires_at FROM by_group b JOIN held_roles h ON h.id = b.role_id
      UNION ALL
      SELECT 'scope', us.user_id, s.name, NULL, us.expires_at
        FROM user_scopes us JOIN scopes s ON s.id = us.scope_id WHERE us.user_id = ANY(${users}::uuid[])
      UNION ALL
      SELECT 'group_scope', NULL, s.name, h.name, gs.expires_at
        FROM group_scopes gs JOIN held_groups h ON h.id = gs.group_id JOIN scopes s ON s.id = gs.scope_id
      UNION ALL
      SELECT 'role_scope', NULL, s.name, h.name, NULL
        FROM role_scopes rs JOIN held_roles h ON h.id = rs.role_id JOIN scopes s ON s.id = rs.scope_id
      UNION ALL
      SELECT 'resource', ur.user_id, r.name, NULL, ur.expires_at
        FROM user_resources ur JOIN resources r ON r.id = ur.resource_id WHERE ur.user_id = ANY(${users}::uuid[])
      UNION ALL
      SELECT 'group_resource', NULL, r.name, h.name, gr.expires_at
        FROM group_resources gr JOIN held_groups h ON h.id = gr.group_id JOIN resources r ON r.id = gr.resource_id
      UNION ALL
      SELECT 'role_resource', NULL, r.name, h.name, NULL
        FROM role_resources rr JOIN held_roles h ON h.id = rr.role_id JOIN resources r ON r.id = rr.resource_id
      UNION ALL
      SELECT 'role_permission', NULL, p.name, h.name, NULL
        FROM role_permissions rp JOIN held_roles h ON h.id = rp.role_id JOIN permissions p ON p.id = rp.permission_id
      UNION ALL
      SELECT CASE WHEN email_verified THEN 'verified_person' ELSE 'person' END, id, email, status::text, NULL
        FROM users WHERE id = ANY(${users}::uuid[])
      UNION ALL
      SELECT 'policy_version', NULL, policy_version::text, NULL, NULL FROM policy_state WHERE id = 1
    )
    SELECT kind, owner::text, name, via, (extract(epoch FROM expires_at) * 1000)::float8 AS until FROM rows`;
  return compose(rows);
}

function compose(rows: readonly Row[]): LoadedHoldings {
  const byKind = groupBy(rows, (row) => row.kind);
  const index = (kind: string, key: 'owner' | 'via') => groupBy(byKind.get(kind) ?? [], (row) => row[key] ?? '');
  const own = {
    roles: index('role', 'owner'),
    groups: index('group', 'owner'),
    scopes: index('scope', 'owner'),
    resources: index('resource', 'owner'),
  };
  const byGroup = {
    roles: index('group_role', 'via'),
    scopes: index('group_scope', 'via'),
    resources: index('group_resource', 'via'),
  };
  const byRole = { scopes: index('role_scope', 'via'), resources: index('role_resource', 'via') };
  const rolePermissions = new Map(
    [...index('role_permission', 'via')].map(([role, entries]) => [role, entries.map((row) => row.name)]),
  );
  const people = [...(byKind.get('person') ?? []), ...(byKind.get('verified_person') ?? [])];
  const version = byKind.get('policy_version')?.[0];
  if (!version) throw new Error('the tenant database has no policy_state row');

  return {
    policyVersion: BigInt(version.name),
    people: new Map(people.map((row) => [row.owner ?? '', toPerson(row)])),
    of(ownerId) {
      const groups = toAssignments(own.groups.get(ownerId));
      const viaGroup = (entries: Index) =>
        uniqueNames(groups).flatMap((group) => toAssignments(entries.get(group), { group }));
      const roles = [...toAssignments(own.roles.get(ownerId)), ...viaGroup(byGroup.roles)];
      const viaRole = (entries: Index) =>
        uniqueNames(roles).flatMap((role) => toAssignments(entries.get(role), { role }));
      const reached = (kind: 'scopes' | 'resources') => [
        ...toAssignments(own[kind].get(ownerId)),
        ...viaGroup(byGroup[kind]),
        ...viaRole(byRole[kind]),
      ];
      return { roles, groups, scopes: reached('scopes'), resources: reached('resources'), rolePermissions };
    },
  };
}

type Index = ReadonlyMap<string, readonly Row[]>;

function toPerson(row: Row): PersonRow {
  return {
    email: row.name,
    emailVerified: row.kind === 'verified_person',
    status: row.via === 'active' ? 'active' : 'disabled',
  };
}

function toAssignments(rows: readonly Row[] = [], via?: Assignment['via']): Assignment[] {
  return rows.map((row) => ({ name: row.name, expiresAt: row.until, ...(via && { via }) }));
}

function uniqueNames(assignments: readonly Assignment[]): string[] {
  return [...new Set(assignments.map((assignment) => assignment.name))];
}

function groupBy(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
