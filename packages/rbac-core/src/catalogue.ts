import {
  type Bounds,
  type ClaimedList,
  type EffectiveGrants,
  type HeldUntil,
  type Holdings,
  grantsAt,
  heldUntil,
} from './effective-grants.js';
import type { RightKind } from './right-kind.js';

/** The names that exist in a tenant. */
export type Catalogue = { readonly [Name in ClaimedList]: ReadonlySet<string> };

/** What a token claims; an upper bound, and permissions are no part of it. */
export type Claims = { readonly [Name in ClaimedList]: readonly string[] };

export interface DroppedClaim {
  readonly kind: Exclude<RightKind, 'permission'>;
  readonly name: string;
  readonly reason: 'not_in_catalogue' | 'not_held' | 'expired';
  /** Epoch milliseconds; of what expired only: when the last of what gave it did. */
  readonly expiredAt?: number;
}

export interface ValidatedClaims extends EffectiveGrants {
  /** Each claimed name that gives nothing, once. */
  readonly dropped: readonly DroppedClaim[];
}

const claimedKinds = [
  ['role', 'roles'],
  ['group', 'groups'],
  ['scope', 'scopes'],
  ['resource', 'resources'],
] as const;

/** Claimed ∩ existing ∩ held at a moment (epoch milliseconds), and what of the claims was dropped and why. */
export function validateClaims(claims: Claims, catalogue: Catalogue, holdings: Holdings, at: number): ValidatedClaims {
  const within = (list: ClaimedList): string[] => readClaims(claims, list).filter((name) => catalogue[list].has(name));
  const bounds: Bounds = {
    roles: within('roles'),
    groups: within('groups'),
    scopes: within('scopes'),
    resources: within('resources'),
  };
  const until = heldUntil(holdings, bounds);
  const effective = grantsAt(holdings, until, at);
  return { ...effective, dropped: findDropped(claims, catalogue, until, at) };
}

function findDropped(claims: Claims, catalogue: Catalogue, until: HeldUntil, at: number): DroppedClaim[] {
  const dropped: DroppedClaim[] = [];
  for (const [kind, list] of claimedKinds) {
    for (const name of [...new Set(claims[list])].sort()) {
      const moment = until[list].get(name);
      if (!catalogue[list].has(name)) dropped.push({ kind, name, reason: 'not_in_catalogue' });
      else if (moment === undefined) dropped.push({ kind, name, reason: 'not_held' });
      else if (!(moment > at)) dropped.push({ kind, name, reason: 'expired', expiredAt: moment });
    }
  }
  return dropped;
}

function readClaims(claims: Claims, list: ClaimedList): readonly string[] {
  const names: unknown = claims[list];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new TypeError(`claims.${list} must be a list of strings`);
  }
  return names;
}
