import * as fc from 'fast-check';
import type { Grants } from '../src/principal.js';
import type { Requirement, RequirementExpression } from '../src/requirement.js';
import type { ListName, RightKind } from '../src/right-kind.js';

const names = ['a', 'b', 'admin', 'аdmin', 'Admin', '__proto__', 'constructor', 'toString', 'é', 'e\u0301', '*'];
const segments = ['a', 'b', 'authsec', 'users', 'read', '__proto__'];
const lists: readonly ListName[] = ['roles', 'groups', 'scopes', 'resources', 'permissions'];
const kinds: readonly RightKind[] = ['role', 'group', 'scope', 'resource', 'permission'];

const anyName = fc.constantFrom(...names);
const permissionOf = (from: readonly string[]) =>
  fc.array(fc.constantFrom(...from), { minLength: 2, maxLength: 4 }).map((parts) => parts.join(':'));
const requiredPermission = permissionOf(segments);
const grantedPermission = fc.oneof(
  permissionOf([...segments, '*', '*']),
  fc.constantFrom('', ':', 'a', '*', 'a*:read', 'a:', ':a'),
);
const manyOf = (name: fc.Arbitrary<string>) => fc.array(name, { maxLength: 5 });
const someOf = (name: fc.Arbitrary<string>) => fc.array(name, { minLength: 1, maxLength: 4 });

export const anyGrants: fc.Arbitrary<Grants> = fc.record({
  roles: manyOf(anyName),
  groups: manyOf(anyName),
  scopes: manyOf(anyName),
  resources: manyOf(anyName),
  permissions: manyOf(grantedPermission),
});

export const anyLists = fc
  .tuple(
    fc.record(
      Object.fromEntries(lists.map((list) => [list, someOf(list === 'permissions' ? requiredPermission : anyName)])),
      { requiredKeys: [] },
    ),
    fc.boolean(),
  )
  .map(([given, requireAll]) => ({ ...given, requireAll }));

export const { expression: anyExpression } = fc.letrec<{
  expression: RequirementExpression;
  leaf: RequirementExpression;
}>((tie) => ({
  leaf: fc.oneof(
    ...kinds.map((kind) =>
      (kind === 'permission' ? requiredPermission : anyName).map(
        (name) => ({ [kind]: name }) as unknown as RequirementExpression,
      ),
    ),
  ),
  expression: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('expression'), { minLength: 1, maxLength: 4 }).map((parts) => ({ allOf: parts })),
    fc.array(tie('expression'), { minLength: 1, maxLength: 4 }).map((parts) => ({ anyOf: parts })),
  ) as fc.Arbitrary<RequirementExpression>,
}));

export const anyRequirement: fc.Arbitrary<Requirement> = fc.oneof(anyLists, anyExpression);

/** What architecture.md says of a requirement, written down again without the code under test: slow and plain. */
export function modelAllows(grants: Grants, requirement: Requirement): boolean {
  const given = Object.entries(requirement) as [string, unknown][];
  const [key, value] = given[0] ?? [];
  if (key === 'allOf') return (value as Requirement[]).every((part) => modelAllows(grants, part));
  if (key === 'anyOf') return (value as Requirement[]).some((part) => modelAllows(grants, part));
  if (kinds.some((kind) => kind === key)) return modelHolds(grants, `${key}s` as ListName, value as string);
  const answers = given
    .filter(([list]) => list !== 'requireAll')
    .map(([list, entries]) => (entries as string[]).some((name) => modelHolds(grants, list as ListName, name)));
  if (answers.length === 0) return true;
  return requirement.requireAll === true ? !answers.includes(false) : answers.includes(true);
}

function modelHolds(grants: Grants, list: ListName, name: string): boolean {
  if (list !== 'permissions') return grants[list].some((held) => held === name);
  return grants.permissions.some((granted) => modelCovers(granted, name));
}

/** A grant as a regular expression: an alternative to taking it apart. */
export function modelCovers(granted: string, required: string): boolean {
  if (!/^[^:*]+(:[^:*]+)+$/.test(required) || !/^[^:]+(:[^:]+)+$/.test(granted)) return false;
  if (required.startsWith('authsec:') && !granted.startsWith('authsec:')) return false;
  const anyResource = granted.startsWith('*:') && granted.indexOf(':') === granted.lastIndexOf(':');
  const pattern = (anyResource ? granted.slice(2) : granted)
    .split(':')
    .map((segment) => (segment === '*' ? '[^:]+' : segment.replace(/[^\w]/gu, String.raw`\$&`)))
    .join(':');
  return new RegExp(`^${anyResource ? '.+:' : ''}${pattern}$`).test(required);
}
