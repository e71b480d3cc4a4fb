import { expectTypeOf } from 'expect-type';
import type { Decision, Requirement, RequirementExpression } from '../src/index.js';
import { allOf, anyOf, compileRequirement, permission, role, scope } from '../src/index.js';

expectTypeOf({}).toExtend<Requirement>();
expectTypeOf({ roles: ['admin'] }).toExtend<Requirement>();
expectTypeOf({ roles: ['admin'], requireAll: true }).toExtend<Requirement>();
expectTypeOf({ roles: ['admin'] as const }).toExtend<Requirement>();
expectTypeOf({ roles: ['admin'], scopes: ['read'], requireAll: true }).toExtend<Requirement>();
expectTypeOf({ scopes: ['read'], resources: ['analytics'], requireAll: false }).toExtend<Requirement>();
expectTypeOf({ role: 'admin' }).toExtend<Requirement>();
expectTypeOf({
  anyOf: [{ role: 'admin' }, { allOf: [{ scope: 'read' }, { group: 'staff' }] }],
}).toExtend<Requirement>();

// Two or more lists without requireAll.
expectTypeOf({ roles: ['admin'], scopes: ['read'] }).not.toExtend<Requirement>();
expectTypeOf({ groups: ['a'], resources: ['b'], permissions: ['c:d'] }).not.toExtend<Requirement>();
expectTypeOf({ roles: ['a'], scopes: ['b'], requireAll: undefined }).not.toExtend<Requirement>();
// @ts-expect-error requireAll must be said
compileRequirement({ roles: ['admin'], scopes: ['read'] });

// Wrong shapes.
expectTypeOf({ roles: 'admin' }).not.toExtend<Requirement>();
expectTypeOf({ roles: ['a'], role: 'a' }).not.toExtend<Requirement>();
expectTypeOf({ role: 'a', group: 'b' }).not.toExtend<Requirement>();
expectTypeOf({ allOf: [{ role: 'a' }], requireAll: true }).not.toExtend<Requirement>();
expectTypeOf({ anyOf: [{ roles: ['a'] }] }).not.toExtend<Requirement>();
// @ts-expect-error there is no negation
compileRequirement({ not: { role: 'a' } } satisfies Requirement);
// @ts-expect-error a list that does not exist
compileRequirement({ rolez: ['a'] } satisfies Requirement);

declare const json: Record<string, unknown>;

// Builders, and JSON that no type has checked.
expectTypeOf(
  allOf(role('admin'), anyOf(scope('write'), permission('invoice:delete'))),
).toEqualTypeOf<RequirementExpression>();
expectTypeOf(compileRequirement).toBeCallableWith(json);
expectTypeOf(compileRequirement).toBeCallableWith({ roles: ['a'], groups: ['b'], requireAll: false });

// A decision narrows by `allowed` and by `code`.
declare const decision: Decision;
if (decision.allowed) expectTypeOf(decision.code).toEqualTypeOf<'allowed'>();
else expectTypeOf(decision.reasons[0]).not.toBeNever();
if (decision.code === 'role_missing') expectTypeOf(decision.allowed).toEqualTypeOf<false>();
