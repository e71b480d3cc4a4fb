import { describe, expect, test } from '@jest/globals';
import { type CompiledRequirement, compileRequirement } from '../src/compile-requirement.js';
import { decide } from '../src/decide.js';
import { PolicyError } from '../src/policy-error.js';
import { type Grants, type Principal, createPrincipal } from '../src/principal.js';
import { type Requirement, allOf, anyOf, permission, role, scope } from '../src/requirement.js';
import type { ListName } from '../src/right-kind.js';
import { readVectors } from './read-vectors.js';

const nothing: Grants = { roles: [], groups: [], scopes: [], resources: [], permissions: [] };

function decideFor(grants: Partial<Grants>, requirement: Requirement) {
  return decide(createPrincipal({ ...nothing, ...grants }), compileRequirement(requirement));
}

describe('golden vectors', () => {
  type ListVector = Partial<Record<ListName, 'match' | 'miss'>> & { requireAll?: boolean; expect: string };
  const held: Grants = {
    roles: ['held', 'more'],
    groups: ['held'],
    scopes: ['more', 'held'],
    resources: ['held'],
    permissions: ['some:held', 'more:*'],
  };

  test('every combination of list absent, matching, not matching and requireAll is there', () => {
    const vectors = readVectors('lists') as ListVector[];
    expect(vectors).toHaveLength(3 ** 5 * 3);
    expect(new Set(vectors.map((vector) => JSON.stringify({ ...vector, expect: 0 }))).size).toBe(3 ** 5 * 3);
  });

  test('lists are decided as the vectors say', () => {
    const principal = createPrincipal(held);
    for (const { requireAll, expect: expected, ...lists } of readVectors('lists') as ListVector[]) {
      const requirement: Record<string, unknown> = requireAll === undefined ? {} : { requireAll };
      for (const [list, state] of Object.entries(lists)) {
        const prefix = list === 'permissions' ? 'some:' : '';
        requirement[list] = state === 'match' ? [`${prefix}other`, `${prefix}held`] : [`${prefix}other`];
      }
      expect({ requirement, code: decideOrError(principal, requirement) }).toEqual({ requirement, code: expected });
    }
  });

  test('expressions are decided as the vectors say', () => {
    const { grants, vectors } = readVectors('expressions') as {
      grants: Grants;
      vectors: { requirement: object; code: string }[];
    };
    const principal = createPrincipal(grants);
    for (const { requirement, code } of vectors) {
      expect({ requirement, code: decideOrError(principal, requirement) }).toEqual({ requirement, code });
    }
  });

  function decideOrError(principal: Principal, requirement: object): string {
    try {
      const decision = decide(principal, compileRequirement(requirement));
      expect(decision.allowed).toBe(decision.code === 'allowed');
      return decision.code;
    } catch (error) {
      if (error instanceof PolicyError) return error.code;
      throw error;
    }
  }
});

describe('reasons', () => {
  test('an allow has none, and is one frozen value', () => {
    const decision = decideFor({ roles: ['admin'] }, { roles: ['admin'] });
    expect(decision).toEqual({ allowed: true, code: 'allowed', reasons: [] });
    expect(Object.isFrozen(decision)).toBe(true);
    expect(decideFor({}, {})).toBe(decision);
  });

  test('a deny names every part that is missing and nothing that is held', () => {
    const requirement = { roles: ['admin', 'owner'], groups: ['staff'], scopes: ['write'], requireAll: true };
    expect(decideFor({ groups: ['staff'] }, requirement)).toEqual({
      allowed: false,
      code: 'requirement_not_met',
      reasons: [
        { code: 'role_missing', kind: 'role', names: ['admin', 'owner'] },
        { code: 'scope_missing', kind: 'scope', names: ['write'] },
      ],
    });
  });

  test('alternatives of one kind are one reason, of several kinds one reason with what each lacks', () => {
    expect(decideFor({}, anyOf(role('a'), role('b'), anyOf(role('c'), role('a')))).reasons).toEqual([
      { code: 'role_missing', kind: 'role', names: ['a', 'b', 'c'] },
    ]);
    expect(decideFor({ roles: ['b'] }, anyOf(role('a'), allOf(role('b'), scope('w'), permission('x:y'))))).toEqual({
      allowed: false,
      code: 'requirement_not_met',
      reasons: [
        {
          code: 'requirement_not_met',
          alternatives: [
            [{ code: 'role_missing', kind: 'role', names: ['a'] }],
            [
              { code: 'scope_missing', kind: 'scope', names: ['w'] },
              { code: 'permission_missing', kind: 'permission', names: ['x:y'] },
            ],
          ],
        },
      ],
    });
  });

  test('lists and the expression that they stand for decide alike, with the same reasons', () => {
    const lists = { roles: ['a', 'b'], scopes: ['c'] };
    const parts = [anyOf(role('a'), role('b')), scope('c')] as const;
    for (const grants of [{}, { roles: ['b'] }, { scopes: ['c'] }, { roles: ['a'], scopes: ['c'] }]) {
      expect(decideFor(grants, { ...lists, requireAll: true })).toEqual(decideFor(grants, allOf(...parts)));
      expect(decideFor(grants, { ...lists, requireAll: false })).toEqual(decideFor(grants, anyOf(...parts)));
    }
  });
});

describe('nothing opens by accident', () => {
  test('empty grants meet no requirement but the one that asks for nothing', () => {
    expect(decideFor({}, {}).allowed).toBe(true);
    expect(decideFor({}, { roles: ['admin'] }).allowed).toBe(false);
    expect(decideFor({}, { permissions: ['a:b'] }).allowed).toBe(false);
  });

  test('names found on every object are ordinary names', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'has', 'size', 'length']) {
      expect(decideFor({}, { roles: [name] }).code).toBe('role_missing');
      expect(decideFor({ roles: [name] }, { roles: [name] }).code).toBe('allowed');
      expect(decideFor({}, { permissions: [`${name}:${name}`] }).code).toBe('permission_missing');
      expect(decideFor({ permissions: [`${name}:*`] }, { permissions: [`${name}:${name}`] }).code).toBe('allowed');
    }
  });

  test('names are compared code point by code point: look-alikes, case and composition make others', () => {
    const composed = 'caf\u00e9';
    const names = [
      'admin',
      'аdmin',
      'Admin',
      'admin ',
      'admin\u200b',
      '\uff41dmin',
      composed,
      composed.normalize('NFD'),
    ];
    for (const held of names) {
      for (const asked of names) {
        expect(decideFor({ roles: [held] }, { roles: [asked] }).allowed).toBe(held === asked);
      }
    }
  });

  test('a right of one kind is none of another', () => {
    const grants: Grants = { roles: ['r'], groups: ['g'], scopes: ['s'], resources: ['e'], permissions: ['p:p'] };
    for (const name of ['g', 's', 'e', 'p:p']) expect(decideFor(grants, { roles: [name] }).allowed).toBe(false);
    for (const name of ['r', 's', 'e', 'p:p']) expect(decideFor(grants, { groups: [name] }).allowed).toBe(false);
    expect(decideFor({ ...grants, roles: ['*', '*:*'] }, { permissions: ['a:b'] }).allowed).toBe(false);
  });

  test('wildcards count in permissions only', () => {
    const stars = ['*', '*:*'];
    const grants = { roles: stars, groups: stars, scopes: stars, resources: stars };
    expect(decideFor(grants, { roles: ['admin'] }).allowed).toBe(false);
    expect(decideFor(grants, { scopes: ['a:b'] }).allowed).toBe(false);
    expect(decideFor({ permissions: stars }, { permissions: ['authsec:tenants:read'] }).allowed).toBe(false);
  });

  test('arguments that were not prepared are a TypeError, whatever they look like', () => {
    const principal = createPrincipal(nothing);
    const requirement = compileRequirement({});
    const forged = { source: {}, expression: { op: 'always' } } as unknown as CompiledRequirement;
    expect(() => decide(principal, forged)).toThrow(TypeError);
    expect(() => decide(principal, {} as CompiledRequirement)).toThrow(TypeError);
    expect(() => decide({ grants: nothing } as Principal, requirement)).toThrow(TypeError);
    expect(() => decide(undefined as unknown as Principal, requirement)).toThrow(TypeError);
  });

  test('grants that are not lists of strings are a TypeError naming the list', () => {
    expect(() => createPrincipal({ ...nothing, roles: 'admin' as unknown as string[] })).toThrow(/grants\.roles/);
    expect(() => createPrincipal({ ...nothing, scopes: undefined as unknown as string[] })).toThrow(/grants\.scopes/);
    expect(() => createPrincipal({ ...nothing, groups: [1] as unknown as string[] })).toThrow(/grants\.groups/);
  });

  test('a principal does not change with the lists that it was made from', () => {
    const roles = ['b', 'a', 'b'];
    const principal = createPrincipal({ ...nothing, roles });
    roles.push('admin');
    expect(decide(principal, compileRequirement({ roles: ['admin'] })).allowed).toBe(false);
    expect(principal.grants.roles).toEqual(['a', 'b']);
    expect(Object.isFrozen(principal.grants.roles)).toBe(true);
  });
});

test('10,000 roles on either side or both', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `role-${i}`);
  expect(decideFor({ roles: many }, { roles: ['role-9999'] }).allowed).toBe(true);
  expect(decideFor({ roles: many }, { roles: ['role-10000'] }).allowed).toBe(false);
  expect(decideFor({ roles: ['role-9999'] }, { roles: many }).allowed).toBe(true);
  expect(decideFor({ roles: ['other'] }, { roles: many }).allowed).toBe(false);
  expect(decideFor({ roles: many }, { roles: many }).allowed).toBe(true);
  expect(decideFor({ roles: many.map((name) => `x-${name}`) }, { roles: many }).allowed).toBe(false);
});
