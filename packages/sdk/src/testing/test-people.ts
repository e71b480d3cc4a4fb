import { type Assignment, type EffectiveGrants, effectiveGrants } from '@authsec/rbac-core';

/** A name that a person holds: for good, or only for so many seconds from when it was said. */
export type TestAssignment = string | { readonly name: string; readonly expiresInSeconds: number };

/** What someone holds in the tables of the test Manager. */
export interface TestHoldings {
  readonly roles?: readonly TestAssignment[] | undefined;
  readonly groups?: readonly TestAssignment[] | undefined;
  readonly scopes?: readonly TestAssignment[] | undefined;
  readonly resources?: readonly TestAssignment[] | undefined;
}

export interface TestPerson extends TestHoldings {
  /** Held without a role; `TestRights.roles` gives them by roles, as a real Manager does. */
  readonly permissions?: readonly string[] | undefined;
  /** The `sub` claim; made of the e-mail address unless told. */
  readonly sub?: string | undefined;
}

/** What roles and groups bring with them, by name. */
export interface TestRights {
  readonly roles?: Readonly<Record<string, Omit<TestPerson, 'sub' | 'roles' | 'groups'>>> | undefined;
  readonly groups?: Readonly<Record<string, Omit<TestHoldings, 'groups'>>> | undefined;
  /** The scopes that the application may ask for; all of them unless told. */
  readonly applicationScopes?: readonly string[] | undefined;
}

export interface Person {
  readonly email: string;
  readonly sub: string;
  /** What they hold at an epoch millisecond: judged by rbac-core, as at a real Manager. */
  grantsAt(at: number): EffectiveGrants;
}

type Held = { readonly [Name in 'roles' | 'groups' | 'scopes' | 'resources']: Assignment[] };

/** `now` is in epoch milliseconds: from when `expiresInSeconds` counts. */
export function createPerson(email: string, person: TestPerson, rights: TestRights, now: number): Person {
  const held: Held = { roles: [], groups: [], scopes: [], resources: [] };
  const add = (holdings: TestHoldings, via?: Assignment['via']): void => {
    for (const list of ['roles', 'groups', 'scopes', 'resources'] as const) {
      for (const given of holdings[list] ?? []) {
        const { name, expiresInSeconds = null } = typeof given === 'string' ? { name: given } : given;
        const expiresAt = expiresInSeconds === null ? null : now + expiresInSeconds * 1_000;
        held[list].push(via ? { name, expiresAt, via } : { name, expiresAt });
      }
    }
  };
  const groups = new Map(Object.entries(rights.groups ?? {}));
  const roles = new Map(Object.entries(rights.roles ?? {}));
  add(person);
  for (const { name } of unique(held.groups)) add({ ...groups.get(name), groups: [] }, { group: name });
  for (const { name } of unique(held.roles)) add({ ...roles.get(name), roles: [], groups: [] }, { role: name });
  const rolePermissions = new Map([...roles].map(([name, role]) => [name, role.permissions ?? []]));
  const bounds = {
    roles: 'held',
    groups: 'held',
    resources: 'held',
    scopes: rights.applicationScopes ?? 'held',
  } as const;

  return {
    email,
    sub: person.sub ?? `sub-of-${email}`,
    grantsAt(at) {
      const { grants, nextChangeAt } = effectiveGrants({ ...held, rolePermissions }, bounds, at);
      const permissions = [...new Set([...grants.permissions, ...(person.permissions ?? [])])].sort();
      return { grants: { ...grants, permissions }, nextChangeAt };
    },
  };
}

function unique(assignments: readonly Assignment[]): Iterable<Assignment> {
  return new Map(assignments.map((assignment) => [assignment.name, assignment])).values();
}
