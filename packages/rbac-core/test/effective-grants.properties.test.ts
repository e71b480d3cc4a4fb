import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { validateClaims } from '../src/catalogue.js';
import {
  type Assignment,
  type Bound,
  type Bounds,
  type ClaimedList,
  type Holdings,
  effectiveGrants,
} from '../src/effective-grants.js';
import type { Grants } from '../src/principal.js';
import type { ListName } from '../src/right-kind.js';

const runs = { numRuns: 3_000 };
const lists: readonly ClaimedList[] = ['roles', 'groups', 'scopes', 'resources'];
const allLists: readonly ListName[] = [...lists, 'permissions'];

const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
const moment = fc.integer({ min: 0, max: 20 });
const via = fc.oneof(
  name.map((group) => ({ group })),
  name.map((role) => ({ role })),
);
const assignment: fc.Arbitrary<Assignment> = fc.record(
  { name, expiresAt: fc.option(moment, { nil: null }), via },
  { requiredKeys: ['name', 'expiresAt'] },
);
const assignments = fc.array(assignment, { maxLength: 5 });
const holdings: fc.Arbitrary<Holdings> = fc.record({
  roles: assignments,
  groups: assignments,
  scopes: assignments,
  resources: assignments,
  rolePermissions: fc
    .array(fc.tuple(name, fc.array(fc.constantFrom('x:y', '*:*', 'x:*'))))
    .map((rows) => new Map(rows)),
});
const bound: fc.Arbitrary<Bound> = fc.oneof(
  fc.constant('held' as const),
  fc.subarray(['a', 'b', 'c', '__proto__', 'z']),
);
const bounds: fc.Arbitrary<Bounds> = fc.record({ roles: bound, groups: bound, scopes: bound, resources: bound });

/** architecture.md's sentence, row by row at one moment: slow and plain. */
function modelGrants(held: Holdings, within: Bounds, at: number): Grants {
  const inBound = (list: ClaimedList, row: Assignment) => within[list] === 'held' || within[list].includes(row.name);
  const unexpired = (row: Assignment) => row.expiresAt === null || at < row.expiresAt;
  const counts = (list: ClaimedList) => (row: Assignment) => inBound(list, row) && unexpired(row);
  const named = (rows: readonly Assignment[]) => [...new Set(rows.map((row) => row.name))].sort();
  const byGroup = (row: Assignment) => row.via?.group !== undefined && groups.includes(row.via.group);
  const byRole = (row: Assignment) => row.via?.role !== undefined && roles.includes(row.via.role);
  const direct = (row: Assignment) => row.via === undefined;

  const groups = named(held.groups.filter(counts('groups')).filter(direct));
  const roles = named(held.roles.filter(counts('roles')).filter((row) => direct(row) || byGroup(row)));
  const rest = (list: 'scopes' | 'resources') =>
    named(held[list].filter(counts(list)).filter((row) => direct(row) || byGroup(row) || byRole(row)));
  const permissions = [...new Set(roles.flatMap((role) => [...(held.rolePermissions.get(role) ?? [])]))].sort();
  return { roles, groups, scopes: rest('scopes'), resources: rest('resources'), permissions };
}

function expectWithin(narrower: Grants, wider: Grants): void {
  for (const list of allLists) for (const held of narrower[list]) expect(wider[list]).toContain(held);
}

describe('against an independent slow model', () => {
  test('effective grants are the model’s', () => {
    fc.assert(
      fc.property(holdings, bounds, moment, (held, within, at) => {
        expect(effectiveGrants(held, within, at).grants).toEqual(modelGrants(held, within, at));
      }),
      { numRuns: 10_000 },
    );
  });

  test('the next change is the first later moment at which the model’s grants without permissions differ', () => {
    fc.assert(
      fc.property(holdings, bounds, moment, (held, within, at) => {
        const visible = (when: number) => JSON.stringify({ ...modelGrants(held, within, when), permissions: [] });
        let expected: number | null = null;
        for (let when = at + 1; when <= 21 && expected === null; when += 1) {
          if (visible(when) !== visible(at)) expected = when;
        }
        expect(effectiveGrants(held, within, at).nextChangeAt).toBe(expected);
      }),
      runs,
    );
  });
});

test('time, a row less, a smaller bound: none of them ever widens', () => {
  fc.assert(
    fc.property(
      holdings,
      bounds,
      moment,
      moment,
      fc.constantFrom(...lists),
      fc.nat(4),
      (held, within, at, later, list, i) => {
        const { grants } = effectiveGrants(held, within, at);
        expectWithin(effectiveGrants(held, within, at + later).grants, grants);
        const fewer = { ...held, [list]: held[list].filter((_, index) => index !== i) };
        expectWithin(effectiveGrants(fewer, within, at).grants, grants);
        const bounded = within[list];
        const smaller = { ...within, [list]: bounded === 'held' ? ['a', 'b', 'c'] : bounded.slice(1) };
        expectWithin(effectiveGrants(held, smaller, at).grants, grants);
      },
    ),
    runs,
  );
});

test('the order of rows and bounds never matters', () => {
  fc.assert(
    fc.property(holdings, bounds, moment, (held, within, at) => {
      const turned = Object.fromEntries(lists.map((list) => [list, held[list].toReversed()]));
      const turnedBounds = Object.fromEntries(
        lists.map((list) => [list, within[list] === 'held' ? 'held' : [...within[list]].toReversed()]),
      );
      expect(effectiveGrants({ ...held, ...turned }, turnedBounds as unknown as Bounds, at)).toEqual(
        effectiveGrants(held, within, at),
      );
    }),
    runs,
  );
});

test('claims give what bounds of the existing ones give, and each claimed name is either granted or dropped', () => {
  const names = fc.record({
    roles: fc.array(name),
    groups: fc.array(name),
    scopes: fc.array(name),
    resources: fc.array(name),
  });
  fc.assert(
    fc.property(names, names, holdings, moment, (claims, existing, held, at) => {
      const catalogue = {
        roles: new Set(existing.roles),
        groups: new Set(existing.groups),
        scopes: new Set(existing.scopes),
        resources: new Set(existing.resources),
      };
      const within = Object.fromEntries(
        lists.map((list) => [list, claims[list].filter((claimed) => existing[list].includes(claimed))]),
      ) as unknown as Bounds;
      const { grants, nextChangeAt, dropped } = validateClaims(claims, catalogue, held, at);
      expect({ grants, nextChangeAt }).toEqual(effectiveGrants(held, within, at));
      for (const list of lists) {
        const droppedNames = dropped.filter(({ kind }) => `${kind}s` === list).map((claim) => claim.name);
        expect([...grants[list], ...droppedNames].sort()).toEqual([...new Set(claims[list])].sort());
      }
      for (const { reason, expiredAt } of dropped) {
        expect(expiredAt === undefined).toBe(reason !== 'expired');
        if (expiredAt !== undefined) expect(expiredAt).toBeLessThanOrEqual(at);
      }
    }),
    runs,
  );
});
