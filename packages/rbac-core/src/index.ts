export { type Catalogue, type Claims, type DroppedClaim, type ValidatedClaims, validateClaims } from './catalogue.js';
export { type CompiledRequirement, compileRequirement } from './compile-requirement.js';
export { covers } from './covers.js';
export { decide } from './decide.js';
export type {
  Allowed,
  Decision,
  DenialCode,
  Denied,
  MissingRight,
  MissingRightCode,
  NoAlternativeMet,
  Reason,
} from './decision.js';
export {
  type Assignment,
  type Bound,
  type Bounds,
  type ClaimedList,
  type EffectiveGrants,
  type Holdings,
  effectiveGrants,
} from './effective-grants.js';
export { type ExplainOptions, explain, explainReasons } from './explain.js';
export { PolicyError, type PolicyErrorCode } from './policy-error.js';
export { type Grants, type Principal, createPrincipal } from './principal.js';
export {
  type Requirement,
  type RequirementExpression,
  type RequirementLists,
  type UncheckedRequirement,
  allOf,
  anyOf,
  group,
  permission,
  resource,
  role,
  scope,
} from './requirement.js';
export type { ListName, RightKind } from './right-kind.js';
