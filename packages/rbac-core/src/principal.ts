import { createPermissionIndex, indexCovers, type PermissionIndex } from './covers.js';
import type { Permission } from './permission.js';
import { type ListName, type RightKind, listNames } from './right-kind.js';

/** What someone effectively has: names, each once, sorted by code unit. An empty list is nothing, never everything. */
export type Grants = { readonly [Name in ListName]: readonly string[] };

/** Rights of one kind, any one of which is enough. */
export interface RequiredRights {
  readonly kind: RightKind;
  readonly names: readonly string[];
  readonly nameSet: ReadonlySet<string>;
  /** Of the kind `permission` only. */
  readonly permissions: readonly Permission[];
}

/** Grants prepared for being judged; made by `createPrincipal`. */
export class Principal {
  /** A frozen copy of what it was made from. */
  readonly grants: Grants;
  readonly #held: { readonly [Kind in RightKind]: ReadonlySet<string> };
  readonly #permissions: PermissionIndex;

  /** @internal */
  constructor(grants: Grants) {
    const held = {
      role: readNames(grants, 'role'),
      group: readNames(grants, 'group'),
      scope: readNames(grants, 'scope'),
      resource: readNames(grants, 'resource'),
      permission: readNames(grants, 'permission'),
    };
    this.grants = Object.freeze({
      roles: sortedNames(held.role),
      groups: sortedNames(held.group),
      scopes: sortedNames(held.scope),
      resources: sortedNames(held.resource),
      permissions: sortedNames(held.permission),
    });
    this.#held = held;
    this.#permissions = createPermissionIndex(held.permission);
    Object.freeze(this);
  }

  /** @internal */
  holdsAny(required: RequiredRights): boolean {
    const { kind, names } = required;
    if (kind === 'permission') {
      for (const permission of required.permissions) if (indexCovers(this.#permissions, permission)) return true;
      return false;
    }
    const held = this.#held[kind];
    if (names.length <= held.size) {
      for (const name of names) if (held.has(name)) return true;
      return false;
    }
    for (const name of this.grants[listNames[kind]]) if (required.nameSet.has(name)) return true;
    return false;
  }
}

/** Prepares grants once for any number of decisions. Throws a TypeError for grants that are not five lists of strings. */
export function createPrincipal(grants: Grants): Principal {
  return new Principal(grants);
}

export function sortedNames(names: Iterable<string>): readonly string[] {
  return Object.freeze([...names].sort());
}

function readNames(grants: Grants, kind: RightKind): ReadonlySet<string> {
  const names: unknown = grants[listNames[kind]];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new TypeError(`grants.${listNames[kind]} must be a list of strings`);
  }
  return new Set<string>(names);
}
