import { type Grants, sortedNames } from './principal.js';

/** One row that gives someone a name. */
export interface Assignment {
  readonly name: string;
  /** Epoch milliseconds of the moment from which it no longer counts; `null`: it stays. */
  readonly expiresAt: number | null;
  /**
   * What it came by; absent: given to the person (or machine) itself. It counts only while that is effective itself.
   * Roles come by groups, scopes and resources by groups or roles, groups by nothing: any other `via` gives nothing.
   */
  readonly via?: { readonly group: string; readonly role?: never } | { readonly role: string; readonly group?: never };
}

/** What the tenant's tables say of one person or machine, expired or not; a name may come several times. */
export interface Holdings {
  readonly roles: readonly Assignment[];
  readonly groups: readonly Assignment[];
  readonly scopes: readonly Assignment[];
  readonly resources: readonly Assignment[];
  /** Permissions by the name of the role. */
  readonly rolePermissions: ReadonlyMap<string, readonly string[]>;
}

/** The kinds of right that a token claims; permissions are never claimed. */
export type ClaimedList = 'roles' | 'groups' | 'scopes' | 'resources';

/** `held`: all that is held; a list: nothing that is not in it. */
export type Bound = readonly string[] | 'held';
export type Bounds = { readonly [Name in ClaimedList]: Bound };

export interface EffectiveGrants {
  readonly grants: Grants;
  /** Epoch milliseconds at which the first of the grants falls away if nothing else happens. */
  readonly nextChangeAt: number | null;
}

/** Until when each name within the bounds is held; Infinity: it stays. Past moments too: they tell what expired when. */
export type HeldUntil = { readonly [Name in ClaimedList]: ReadonlyMap<string, number> };

/** What of the holdings is effective at a moment (epoch milliseconds), within the bounds. */
export function effectiveGrants(holdings: Holdings, bounds: Bounds, at: number): EffectiveGrants {
  return grantsAt(holdings, heldUntil(holdings, bounds), at);
}

export function heldUntil(holdings: Holdings, bounds: Bounds): HeldUntil {
  const groups = latest(holdings.groups, bounds.groups, {});
  const roles = latest(holdings.roles, bounds.roles, { groups });
  return {
    roles,
    groups,
    scopes: latest(holdings.scopes, bounds.scopes, { groups, roles }),
    resources: latest(holdings.resources, bounds.resources, { groups, roles }),
  };
}

export function grantsAt(holdings: Holdings, until: HeldUntil, at: number): EffectiveGrants {
  if (!Number.isFinite(at)) throw new TypeError('at must be a number of epoch milliseconds');
  let nextChangeAt = Infinity;
  const effective = (moments: ReadonlyMap<string, number>): readonly string[] => {
    const names: string[] = [];
    for (const [name, moment] of moments) {
      if (!(moment > at)) continue;
      names.push(name);
      nextChangeAt = Math.min(nextChangeAt, moment);
    }
    return sortedNames(names);
  };
  const roles = effective(until.roles);
  const permissions = new Set(roles.flatMap((role) => holdings.rolePermissions.get(role) ?? []));
  const grants: Grants = Object.freeze({
    roles,
    groups: effective(until.groups),
    scopes: effective(until.scopes),
    resources: effective(until.resources),
    permissions: sortedNames(permissions),
  });
  return { grants, nextChangeAt: nextChangeAt === Infinity ? null : nextChangeAt };
}

type Origins = { readonly groups?: ReadonlyMap<string, number>; readonly roles?: ReadonlyMap<string, number> };

/** A row lasts as long as it and what it came by both do; a name as long as the last of its rows. */
function latest(assignments: readonly Assignment[], bound: Bound, origins: Origins): ReadonlyMap<string, number> {
  const within = bound === 'held' ? undefined : new Set(bound);
  const moments = new Map<string, number>();
  for (const { name, expiresAt, via } of assignments) {
    if (within !== undefined && !within.has(name)) continue;
    const originUntil = via === undefined ? Infinity : originMoment(via, origins);
    const moment = Math.min(expiresAt === null ? Infinity : expiresAt, originUntil);
    if (Number.isNaN(moment)) continue;
    moments.set(name, Math.max(moments.get(name) ?? -Infinity, moment));
  }
  return moments;
}

function originMoment(via: NonNullable<Assignment['via']>, origins: Origins): number {
  const moment = via.group === undefined ? origins.roles?.get(via.role) : origins.groups?.get(via.group);
  return moment ?? NaN;
}
