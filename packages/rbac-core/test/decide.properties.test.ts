import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compileRequirement } from '../src/compile-requirement.js';
import { covers } from '../src/covers.js';
import { decide } from '../src/decide.js';
import type { Reason } from '../src/decision.js';
import { type Grants, createPrincipal } from '../src/principal.js';
import type { Requirement } from '../src/requirement.js';
import type { ListName } from '../src/right-kind.js';
import { anyExpression, anyGrants, anyLists, anyRequirement, modelAllows, modelCovers } from './requirement-model.js';

const runs = { numRuns: 2_000 };
const listNames: readonly ListName[] = ['roles', 'groups', 'scopes', 'resources', 'permissions'];

function decideFor(grants: Grants, requirement: Requirement) {
  return decide(createPrincipal(grants), compileRequirement(requirement));
}
function allows(grants: Grants, requirement: Requirement): boolean {
  return decideFor(grants, requirement).allowed;
}
/** Fails where what `wider` says no to, `narrower` says yes to. */
function expectNotWider(narrower: boolean, wider: boolean): void {
  expect({ narrower, wider }).not.toEqual({ narrower: true, wider: false });
}

describe('against an independent slow model', () => {
  test('decide answers what the model answers', () => {
    let allowed = 0;
    fc.assert(
      fc.property(anyGrants, anyRequirement, (grants, requirement) => {
        const answer = modelAllows(grants, requirement);
        expect(allows(grants, requirement)).toBe(answer);
        allowed += Number(answer);
      }),
      { numRuns: 5_000 },
    );
    expect(allowed).toBeGreaterThan(500);
    expect(allowed).toBeLessThan(4_500);
  });

  test('covers answers what the model answers', () => {
    const permission = fc
      .array(fc.constantFrom('a', 'b', '*', '', 'authsec', 'a*', '__proto__', 'a.b', '$&'), { maxLength: 4 })
      .map((parts) => parts.join(':'));
    fc.assert(
      fc.property(permission, permission, (granted, required) => {
        expect(covers(granted, required)).toBe(modelCovers(granted, required));
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('another requirement', () => {
  test('in allOf never widens, in anyOf never narrows', () => {
    fc.assert(
      fc.property(anyGrants, anyExpression, anyExpression, (grants, expression, another) => {
        expectNotWider(allows(grants, { allOf: [expression, another] }), allows(grants, expression));
        expectNotWider(allows(grants, expression), allows(grants, { anyOf: [expression, another] }));
      }),
      runs,
    );
  });

  test('as a list under requireAll never widens', () => {
    fc.assert(
      fc.property(anyGrants, anyLists, fc.constantFrom(...listNames), (grants, requirement, left) => {
        const { [left]: _, ...fewer } = { ...requirement, requireAll: true } as Record<string, unknown>;
        expectNotWider(allows(grants, { ...requirement, requireAll: true }), allows(grants, fewer));
      }),
      runs,
    );
  });
});

test('losing a right never widens', () => {
  fc.assert(
    fc.property(anyGrants, anyRequirement, fc.constantFrom(...listNames), fc.nat(4), (grants, requirement, list, i) => {
      const fewer = { ...grants, [list]: grants[list].filter((_, at) => at !== i) };
      expectNotWider(allows(fewer, requirement), allows(grants, requirement));
    }),
    runs,
  );
});

test('order and repetition never matter, neither to the answer nor to its code', () => {
  fc.assert(
    fc.property(anyGrants, anyRequirement, (grants, requirement) => {
      const { code } = decideFor(grants, requirement);
      expect(decideFor(reversed(grants) as Grants, requirement).code).toBe(code);
      expect(decideFor(grants, reversed(requirement) as Requirement).code).toBe(code);
      expect(decideFor({ ...grants, roles: [...grants.roles, ...grants.roles] }, requirement).code).toBe(code);
    }),
    runs,
  );

  /** Lists and keys the other way round, all the way down. */
  function reversed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(reversed).toReversed();
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, inner]) => [key, reversed(inner)])
        .toReversed(),
    );
  }
});

test('granting what the reasons ask for turns a deny into an allow, and no part of a reason is held', () => {
  fc.assert(
    fc.property(anyGrants, anyRequirement, (grants, requirement) => {
      const decision = decideFor(grants, requirement);
      expect(decision.reasons.length === 0).toBe(decision.allowed);
      const more = grant(grants, grants, decision.reasons);
      expect(allows(more, requirement)).toBe(true);
    }),
    runs,
  );

  function grant(held: Grants, grants: Grants, reasons: readonly Reason[]): Grants {
    return reasons.reduce((so, reason) => {
      if (reason.code === 'requirement_not_met') return grant(held, so, reason.alternatives[0] ?? []);
      const list = `${reason.kind}s` as const;
      for (const name of reason.names) {
        expect(modelAllows(held, { [reason.kind]: name })).toBe(false);
      }
      return { ...so, [list]: [...so[list], reason.names[0]] };
    }, grants);
  }
});

test('a requirement survives JSON: its source decides as it does', () => {
  fc.assert(
    fc.property(anyGrants, anyRequirement, (grants, requirement) => {
      const source = JSON.parse(JSON.stringify(compileRequirement(requirement))) as Requirement;
      expect(source).toEqual(requirement);
      expect(decideFor(grants, source)).toEqual(decideFor(grants, requirement));
    }),
    runs,
  );
});

test('any JSON at all is either compiled or refused with a PolicyError', () => {
  const key = fc.constantFrom(
    'roles',
    'scopes',
    'permissions',
    'requireAll',
    'allOf',
    'anyOf',
    'role',
    '__proto__',
    'x',
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, '', 'a', 'a:b'),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.array(fc.tuple(key, tie('json')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries) as unknown),
    ),
  }));
  fc.assert(
    fc.property(json, (value) => {
      try {
        expect(compileRequirement(value as Requirement).source).toEqual(value);
      } catch (error) {
        expect(error).toMatchObject({ name: 'PolicyError' });
      }
    }),
    runs,
  );
});
