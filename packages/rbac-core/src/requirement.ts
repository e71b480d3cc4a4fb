import type { ListName, RightKind } from './right-kind.js';

type NameLists = { readonly [Name in ListName]?: readonly string[] };
type Without<Keys extends PropertyKey> = { readonly [Key in Keys]?: never };
type ExpressionKey = RightKind | 'allOf' | 'anyOf';

type AtMostOneList = {
  [Name in ListName]: { readonly [Key in Name]?: readonly string[] } & Without<Exclude<ListName, Name>>;
}[ListName] & { readonly requireAll?: boolean };

type SeveralLists = NameLists & { readonly requireAll: boolean };

/**
 * Lists of names: in one list any entry is enough; between lists `requireAll: true` is AND, `false` is OR, and with two
 * or more lists it must be said. A list must not be empty. No list at all: any signed-in person.
 */
export type RequirementLists = (AtMostOneList | SeveralLists) & Without<ExpressionKey>;

interface ExpressionShapes extends Readonly<Record<RightKind, string>> {
  readonly allOf: readonly RequirementExpression[];
  readonly anyOf: readonly RequirementExpression[];
}

/** Plain JSON with exactly one key: `{ role: 'admin' }`, or `allOf` or `anyOf` of one or more others. There is no negation. */
export type RequirementExpression = {
  [Key in ExpressionKey]: { readonly [K in Key]: ExpressionShapes[Key] } & Without<
    Exclude<ExpressionKey, Key> | ListName | 'requireAll'
  >;
}[ExpressionKey];

/** What someone must hold. */
export type Requirement = RequirementLists | RequirementExpression;

/** A requirement that came as JSON, which no type has checked. */
export type UncheckedRequirement = { readonly [key: string]: unknown } & Without<ListName | ExpressionKey>;

export function role(name: string): RequirementExpression {
  return Object.freeze({ role: name });
}

export function group(name: string): RequirementExpression {
  return Object.freeze({ group: name });
}

export function scope(name: string): RequirementExpression {
  return Object.freeze({ scope: name });
}

export function resource(name: string): RequirementExpression {
  return Object.freeze({ resource: name });
}

/** `resource:action`, the last colon splits; without `*`, which only a grant may have. */
export function permission(name: string): RequirementExpression {
  return Object.freeze({ permission: name });
}

export function allOf(...expressions: readonly RequirementExpression[]): RequirementExpression {
  return Object.freeze({ allOf: Object.freeze(expressions) });
}

export function anyOf(...expressions: readonly RequirementExpression[]): RequirementExpression {
  return Object.freeze({ anyOf: Object.freeze(expressions) });
}
